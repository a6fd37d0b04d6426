/** The spec as YAML, as it was submitted or with every default filled in, to read and to copy. */
import { Button, SegmentedControl } from "@mantine/core";
import { useMemo, useState } from "react";
import { stringify } from "yaml";
import type { WorkloadDetail } from "../../api/types";
import { useCopy } from "../../frame/clipboard";
import { CheckIcon, CopyIcon } from "../../frame/icons";
import classes from "./detail.module.css";

const versions = [
  { value: "submitted", label: "As submitted" },
  { value: "resolved", label: "With defaults" },
];

export default function SpecTab({ workload }: { workload: WorkloadDetail }) {
  const [version, setVersion] = useState("submitted");
  const { copied, copy } = useCopy();
  const spec = version === "submitted" ? workload.submitted_spec : workload.resolved_spec;
  const text = useMemo(() => specText(spec), [spec]);
  return (
    <>
      <div className={classes.specBar}>
        <SegmentedControl
          size="xs"
          aria-label="Which spec"
          data={versions}
          value={version}
          onChange={setVersion}
        />
        <Button
          variant="default"
          leftSection={copied ? <CheckIcon /> : <CopyIcon />}
          onClick={() => copy(text)}
        >
          {copied ? "Copied" : "Copy"}
        </Button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys. */}
      <section className={classes.spec} tabIndex={0} aria-label="Spec">
        <pre>{text}</pre>
      </section>
    </>
  );
}

/** Lines stay as long as they are, and texts of many lines are blocks: what one would write. */
export function specText(spec: Record<string, unknown>): string {
  return stringify(spec, { lineWidth: 0, aliasDuplicateObjects: false });
}
