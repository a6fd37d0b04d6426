/** Asks before a cluster is removed, and says what stands in the way of it. */
import { Checkbox } from "@mantine/core";
import { useState } from "react";
import { Ask } from "../../access/Ask";
import type { Cluster } from "../../api/types";
import { counted } from "../../quantity/words";
import { useClusterRemove } from "./queries";

interface Props {
  cluster: Cluster;
  onClose: () => void;
}

export function RemoveCluster({ cluster: { name, nodes, state }, onClose }: Props) {
  const remove = useClusterRemove(name);
  const [force, setForce] = useState(false);
  return (
    <Ask
      title={`Remove ${name}`}
      does={`Remove ${name}`}
      change={{ ...remove, mutate: (_, options) => remove.mutate(force, options) }}
      onClose={onClose}
    >
      <p>
        Podium works there no longer, and forgets{" "}
        {nodes === 1 ? "its node" : `its ${counted(nodes, "node")}`}. The cluster itself stays as it
        is. While work is placed there, it is not removed.
      </p>
      <Checkbox
        size="xs"
        label={
          state === "ready"
            ? "Give up the work that is placed there. It goes on elsewhere, and what runs there now is stopped by nobody."
            : "Give up the work that is placed there, because the cluster is gone. It goes on elsewhere."
        }
        checked={force}
        onChange={(event) => setForce(event.currentTarget.checked)}
      />
    </Ask>
  );
}
