/** The filters that have no button of their own, each with a way to take it away. */
import { CloseIcon } from "../frame/icons";
import type { FilterChange, WorkloadFilters } from "./filters";
import { sinceInWords } from "./since";
import classes from "./workloads.module.css";

interface Props {
  filters: WorkloadFilters;
  /** Whether the owner is who looks at it; then a button says so. */
  mine: boolean;
  onChange: (change: FilterChange) => void;
}

export function FilterChips({ filters, mine, onChange }: Props) {
  const { project = [], owner, label = [], node, ended_since } = filters;
  return (
    <>
      {/* One project stands in the switcher. */}
      {project.length > 1 &&
        project.map((each) => (
          <Chip
            key={each}
            name="Project"
            value={each}
            onRemove={() => onChange({ project: project.filter((other) => other !== each) })}
          />
        ))}
      {owner && !mine && (
        <Chip name="Owner" value={owner} onRemove={() => onChange({ owner: undefined })} />
      )}
      {node && <Chip name="Node" value={node} onRemove={() => onChange({ node: undefined })} />}
      {label.map((each) => (
        <Chip
          key={each}
          name="Label"
          value={each}
          onRemove={() => onChange({ label: label.filter((other) => other !== each) })}
        />
      ))}
      {ended_since && (
        <Chip
          name="Ended"
          value={sinceInWords(ended_since)}
          onRemove={() => onChange({ ended_since: undefined })}
        />
      )}
    </>
  );
}

interface ChipProps {
  name: string;
  value: string;
  onRemove: () => void;
}

function Chip({ name, value, onRemove }: ChipProps) {
  return (
    <span className={classes.chip}>
      <span className={classes.filterLabel}>{name}</span>
      <span className={classes.filterChosen} title={value}>
        {value}
      </span>
      <button
        type="button"
        className={classes.chipRemove}
        aria-label={`Remove the filter ${name} ${value}`}
        onClick={onRemove}
      >
        <CloseIcon />
      </button>
    </span>
  );
}
