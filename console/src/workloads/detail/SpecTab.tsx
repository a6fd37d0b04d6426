/** The spec as YAML: as submitted, with every default, or with the difference marked. */
import { SegmentedControl } from "@mantine/core";
import { useMemo } from "react";
import { stringify } from "yaml";
import type { WorkloadDetail } from "../../api/types";
import { YamlView } from "../../editor/YamlView";
import { useCopy } from "../../frame/clipboard";
import { IconButton } from "../../frame/IconButton";
import { CheckIcon, CopyIcon, DownloadIcon } from "../../frame/icons";
import classes from "./detail.module.css";
import { linesMarked, orderedLike } from "./specDifference";
import { useDetailSearch } from "./useDetailSearch";

const versions = [
  { value: "submitted", label: "As submitted" },
  { value: "resolved", label: "With defaults" },
  { value: "both", label: "What was added" },
];

export default function SpecTab({ workload }: { workload: WorkloadDetail }) {
  const { search, change } = useDetailSearch();
  const version = search.spec ?? "submitted";
  const { copied, copy } = useCopy();
  const { submitted_spec, resolved_spec } = workload;
  const submitted = useMemo(() => specText(submitted_spec), [submitted_spec]);
  const resolved = useMemo(
    () => specText(orderedLike(resolved_spec, submitted_spec) as Record<string, unknown>),
    [resolved_spec, submitted_spec],
  );
  const text = version === "submitted" ? submitted : resolved;
  return (
    <>
      <div className={classes.specBar}>
        <SegmentedControl
          size="xs"
          aria-label="Which spec"
          data={versions}
          value={version}
          onChange={(next) =>
            change({ spec: next === "resolved" || next === "both" ? next : undefined })
          }
        />
        <div className={classes.specActions}>
          <IconButton label={copied ? "Copied" : "Copy the spec"} onClick={() => copy(text)}>
            {copied ? <CheckIcon /> : <CopyIcon />}
          </IconButton>
          <IconButton
            label="Download the spec"
            onClick={() => textSave(text, `${workload.name}.yaml`)}
          >
            <DownloadIcon />
          </IconButton>
        </div>
      </div>
      {version === "both" ? (
        <Difference submitted={submitted} resolved={resolved} />
      ) : (
        <YamlView text={text} label="Spec" />
      )}
    </>
  );
}

function Difference({ submitted, resolved }: { submitted: string; resolved: string }) {
  const lines = useMemo(() => linesMarked(submitted, resolved), [submitted, resolved]);
  const added = lines.filter((line) => line.added).length;
  return (
    <>
      <p className={classes.note}>
        {added === 0
          ? "Everything was written out as it was submitted."
          : "Marked lines were filled in by the server, or changed since."}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
      <section className={classes.spec} tabIndex={0} aria-label="Spec with what was added">
        <pre>
          {lines.map(({ text, added: isAdded }, at) => {
            const Line = isAdded ? "ins" : "span";
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a line has no name but its place.
              <Line key={at} className={classes.specLine}>
                {text || " "}
                {"\n"}
              </Line>
            );
          })}
        </pre>
      </section>
    </>
  );
}

/** Lines stay as long as they are, and texts of many lines are blocks: what one would write. */
export function specText(spec: Record<string, unknown>): string {
  return stringify(spec, { lineWidth: 0, aliasDuplicateObjects: false });
}

function textSave(text: string, name: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  URL.revokeObjectURL(address);
}
