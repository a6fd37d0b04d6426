/** Folders of the node that the work sees, a row for each. */
import { Button, Checkbox, TextInput } from "@mantine/core";
import { isMap } from "yaml";
import { IconButton } from "../frame/IconButton";
import { CloseIcon } from "../frame/icons";
import { type Form, faultOf, fieldId, useForm } from "./form";
import { InYaml } from "./InYaml";
import { entriesAt, isListAt, isSetAt, nodeAt, textAt } from "./specText";
import classes from "./submit.module.css";

interface Volume {
  name: string;
  path: string;
  readOnly: boolean;
}

export function VolumesField() {
  const form = useForm();
  const volumes = volumesRead(form);
  if (volumes === null) return <InYaml field="volumes" label="Volumes" />;
  const listed = isListAt(form.document, ["volumes"]);

  /** A map says no more than names and paths; the first row that says more makes it a list. */
  function write(next: Volume[]) {
    form.set(["volumes"], next.length === 0 ? undefined : next.map(volumePlain));
  }

  function change(at: number, given: Partial<Volume>) {
    const next = (volumes ?? []).map((each, index) =>
      index === at ? { ...each, ...given } : each,
    );
    const [name] = Object.keys(given);
    if (!listed) return write(next);
    const field = name === "readOnly" ? "read_only" : (name ?? "");
    const value = Object.values(given)[0];
    form.set(["volumes", at, field], value === false ? undefined : (value ?? ""));
  }

  return (
    <fieldset className={classes.rows} id={fieldId("volumes")} tabIndex={-1}>
      <legend className={classes.label}>Volumes</legend>
      <span className={classes.hint}>
        Folders of the node, seen as <code>volumes/NAME</code> in the working folder.
      </span>
      {volumes.map((volume, at) => {
        const key = listed ? String(at) : volume.name;
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a volume is known by its place alone.
          <div key={at} className={classes.row} data-volume>
            <TextInput
              id={fieldId(`volumes.${key}`)}
              aria-label={`Volume ${at + 1}, name`}
              placeholder="data"
              classNames={{ input: classes.mono }}
              spellCheck={false}
              value={volume.name}
              error={faultOf(form, `volumes.${key}.name`) ?? faultOf(form, `volumes.${key}`)}
              onChange={(event) => change(at, { name: event.currentTarget.value })}
            />
            <TextInput
              aria-label={`Volume ${at + 1}, path on the node`}
              placeholder="/srv/data"
              classNames={{ input: classes.mono }}
              spellCheck={false}
              value={volume.path}
              error={faultOf(form, `volumes.${key}.path`)}
              onChange={(event) => change(at, { path: event.currentTarget.value })}
            />
            <Checkbox
              size="xs"
              label="Read only"
              checked={volume.readOnly}
              onChange={(event) => change(at, { readOnly: event.currentTarget.checked })}
            />
            <IconButton
              label={`Remove ${volume.name || `volume ${at + 1}`}`}
              onClick={() => write(volumes.filter((_, index) => index !== at))}
            >
              <CloseIcon />
            </IconButton>
          </div>
        );
      })}
      {faultOf(form, "volumes") && <p className={classes.fault}>{faultOf(form, "volumes")}</p>}
      <div>
        <Button
          variant="default"
          onClick={() => write([...volumes, { name: "", path: "", readOnly: false }])}
        >
          Add volume
        </Button>
      </div>
    </fieldset>
  );
}

function volumePlain({ name, path, readOnly }: Volume) {
  return { name, path, ...(readOnly && { read_only: true }) };
}

function volumesRead({ document }: Form): Volume[] | null {
  if (!isListAt(document, ["volumes"])) {
    const entries = isSetAt(document, ["volumes"]) ? entriesAt(document, ["volumes"]) : [];
    return entries?.map(([name, path]) => ({ name, path, readOnly: false })) ?? null;
  }
  const { items } = nodeAt(document, ["volumes"]) as { items: unknown[] };
  const volumes: Volume[] = [];
  for (const [at, item] of items.entries()) {
    if (!isMap(item)) return null;
    const [name, path, readOnly] = ["name", "path", "read_only"].map((field) =>
      textAt(document, ["volumes", at, field]),
    );
    if (name == null || path == null || readOnly == null) return null;
    volumes.push({ name, path, readOnly: readOnly === "true" });
  }
  return volumes;
}
