/** The form: what every workload has first, the rest in groups. */
import { Autocomplete } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useState } from "react";
import { Copyable } from "../frame/Copyable";
import { useProjectNames } from "../projects/queries";
import { ChoiceField } from "./ChoiceField";
import { DryRunBox } from "./DryRunBox";
import { commandLine } from "./elsewhere";
import { FitBox } from "./FitBox";
import { faultOf, fieldId, useForm } from "./form";
import { GpuFields } from "./GpuFields";
import { Group } from "./Group";
import { InYaml } from "./InYaml";
import { KindField } from "./KindField";
import { ListField } from "./ListField";
import { PairsField } from "./PairsField";
import { ProgramField } from "./ProgramField";
import { useSecretNames, useWorkloadNames } from "./queries";
import { ReplicaFields } from "./ReplicaFields";
import { setInWords } from "./setInWords";
import { isSetAt, type Path, textAt } from "./specText";
import classes from "./submit.module.css";
import { TextField } from "./TextField";
import { VolumesField } from "./VolumesField";

export function SpecForm() {
  const { document, foretold } = useForm();
  const grouped = isSetAt(document, ["groups"]);
  return (
    <>
      <KindField />
      <div className={classes.two}>
        <TextField
          path={["name"]}
          label="Name"
          placeholder="resnet-50"
          description="Lower-case letters, digits and hyphens."
          required
        />
        <ProjectField />
      </div>
      <ProgramField />
      <h2 className={classes.heading}>Resources</h2>
      {grouped && <p className={classes.hint}>Of groups that do not say otherwise in the YAML.</p>}
      <GpuFields />
      <div className={classes.two}>
        <TextField path={["resources", "cpus"]} label="CPUs" placeholder="4" numeric />
        <TextField path={["resources", "memory"]} label="Memory" placeholder="16GiB" />
      </div>
      <ReplicaFields />
      {foretold.found ? <DryRunBox {...foretold} found={foretold.found} /> : <FitBox />}
      <h2 className={classes.heading}>More</h2>
      <div>
        <SourceGroup />
        <EnvironmentGroup />
        <PlacementGroup />
        <TimeGroup />
        <DataGroup />
        <LabelsGroup />
      </div>
    </>
  );
}

function ProjectField() {
  const form = useForm();
  const names = useProjectNames();
  const text = textAt(form.document, ["project"]);
  if (text === null) return <InYaml field="project" label="Project" />;
  return (
    <Autocomplete
      id={fieldId("project")}
      size="sm"
      label="Project"
      description="Whose quota it uses."
      {...(form.project && { placeholder: form.project })}
      data={names}
      value={text}
      onChange={(next) => form.set(["project"], next || undefined)}
      error={faultOf(form, "project")}
      onBlur={() => form.visit("project")}
      autoComplete="off"
    />
  );
}

function SourceGroup() {
  const form = useForm();
  const { document } = form;
  const has = (field: string) => isSetAt(document, ["source", field]);
  const found = has("git") || has("ref") ? "git" : has("path") || has("upload") ? "folder" : "none";
  const [asked, setAsked] = useState<"none" | "git" | "folder">(found);
  const mode = found === "none" ? asked : found;

  function choose(next: "none" | "git" | "folder") {
    setAsked(next);
    if (next !== found && found !== "none") form.set(["source"], undefined);
  }

  return (
    <Group
      title="Code and image"
      fields={["source", "image"]}
      summary={setInWords(document, ["source", "image"])}
    >
      <ChoiceField
        label="Code"
        id={fieldId("source")}
        value={mode}
        options={[
          { value: "none", label: "None" },
          { value: "git", label: "Git" },
          { value: "folder", label: "Folder" },
        ]}
        onChange={choose}
        fault={faultOf(form, "source")}
      />
      {mode === "git" && (
        <div className={classes.two}>
          <TextField
            path={["source", "git"]}
            label="Repository"
            placeholder="https://git.example.com/team/train.git"
            mono
          />
          <TextField
            path={["source", "ref"]}
            label="Branch, tag or commit"
            placeholder="main"
            mono
          />
        </div>
      )}
      {mode === "folder" && <FolderField />}
      <TextField
        path={["image"]}
        label="Container image"
        description="For engines that run containers."
        placeholder="registry.example.com/vision/train:1.4"
        mono
      />
    </Group>
  );
}

/** A browser cannot read a folder as the command line can. */
function FolderField() {
  const form = useForm();
  const name = textAt(form.document, ["name"]) ?? "";
  if (isSetAt(form.document, ["source", "upload"])) {
    return (
      <TextField
        path={["source", "upload"]}
        label="Upload"
        description="SHA-256 of a folder that was uploaded before."
        mono
      />
    );
  }
  return (
    <>
      <p className={classes.hint}>
        A folder of your machine is uploaded by the command line. Name it by path, download this
        file, and run there:
      </p>
      <div>
        <Copyable text={commandLine(name)} block />
      </div>
      <TextField path={["source", "path"]} label="Path" placeholder="." mono />
    </>
  );
}

function EnvironmentGroup() {
  const form = useForm();
  const { data: names } = useSecretNames(form.project);
  return (
    <Group
      title="Environment and secrets"
      fields={["env", "secrets"]}
      summary={setInWords(form.document, ["env", "secrets"])}
    >
      <PairsField
        path={["env"]}
        label="Environment variables"
        each="Variable"
        nameHint="EPOCHS"
        valueHint="10"
      />
      <ListField
        path={["secrets"]}
        label="Secrets"
        description={
          names?.length === 0 ? (
            <>
              The project has none yet. Add one with <code>podium secret set NAME</code>.
            </>
          ) : (
            "Secrets of the project that it gets as environment variables."
          )
        }
        placeholder="HF_TOKEN"
        offered={names ?? []}
      />
    </Group>
  );
}

const levels = [
  { value: "", label: "Anywhere" },
  { value: "nvlink", label: "NVLink" },
  { value: "node", label: "Node" },
  { value: "rack", label: "Rack" },
  { value: "block", label: "Block" },
  { value: "cluster", label: "Cluster" },
];

function PlacementGroup() {
  const form = useForm();
  return (
    <Group
      title="Placement"
      fields={["topology", "resources.nodes"]}
      summary={setInWords(form.document, ["topology", "resources.nodes"])}
    >
      <LevelField path={["topology", "within"]} label="All replicas within one" />
      <LevelField path={["topology", "prefer"]} label="If it can be, within one" />
      <PairsField
        path={["resources", "nodes"]}
        label="Node labels"
        description="Only nodes that have all of them."
        each="Label"
        nameHint="zone"
        valueHint="north"
      />
    </Group>
  );
}

function LevelField({ path, label }: { path: Path; label: string }) {
  const form = useForm();
  const field = path.join(".");
  const value = textAt(form.document, path);
  if (value === null) return <InYaml field={field} label={label} />;
  return (
    <ChoiceField
      label={label}
      id={fieldId(field)}
      value={value}
      options={levels}
      onChange={(next) => form.set(path, next || undefined)}
      fault={faultOf(form, field)}
    />
  );
}

function TimeGroup() {
  const { document } = useForm();
  const fields = ["priority", "max_runtime", "deadline", "retries", "grace"];
  return (
    <Group title="Priority and time" fields={fields} summary={setInWords(document, fields)}>
      <div className={classes.two}>
        <TextField
          path={["priority"]}
          label="Priority"
          description="0 to 100, or low, normal, high."
          numeric
        />
        <TextField
          path={["max_runtime"]}
          label="Time limit"
          description="Stopped after running this long."
          placeholder="8h"
          numeric
        />
        <TextField
          path={["deadline"]}
          label="Deadline"
          description="A time with its zone, or a duration from now."
          placeholder="12h"
          numeric
        />
        <TextField
          path={["retries"]}
          label="Retries"
          description="Started again so often after a failure."
          numeric
        />
        <TextField
          path={["grace"]}
          label="Grace"
          description="How long it may take to end when asked to."
          numeric
        />
      </div>
    </Group>
  );
}

function DataGroup() {
  const form = useForm();
  const [typed, setTyped] = useState("");
  const [text] = useDebouncedValue(typed, 200);
  const { data: names } = useWorkloadNames(form.project, text);
  const own = textAt(form.document, ["name"]);
  const fields = ["volumes", "depends_on"];
  return (
    <Group title="Data and order" fields={fields} summary={setInWords(form.document, fields)}>
      <VolumesField />
      <ListField
        path={["depends_on"]}
        label="Starts after"
        description="Workloads of the project that must succeed first, by name or id."
        placeholder="prepare"
        offered={(names ?? []).filter((name) => name !== own)}
        onSearch={setTyped}
      />
    </Group>
  );
}

function LabelsGroup() {
  const { document } = useForm();
  return (
    <Group title="Labels" fields={["labels"]} summary={setInWords(document, ["labels"])}>
      <PairsField
        path={["labels"]}
        label="Labels"
        description="Words of your own, to find it by."
        each="Label"
        nameHint="run"
        valueHint="42"
      />
    </Group>
  );
}
