/** What the organisation, teams and projects may count on and hold: GPUs, all else that is limited,
 * and who changed it. */

import { useGovernanceSearch } from "../governance/search";
import { useProject } from "../projects/scope";
import { useQueue, useQueueLive } from "../queue/queries";
import { Shares } from "../queue/Shares";
import { CountedTable } from "./CountedTable";
import { QuotaHistory } from "./QuotaHistory";

export default function QuotasPage() {
  useQueueLive();
  const project = useProject();
  const queue = useQueue(project);
  const [{ turned = "" }, change] = useGovernanceSearch();
  const names = turned.split(",").filter(Boolean);
  return (
    <>
      <Shares
        title="GPUs"
        projects={queue.data?.pages[0]?.projects ?? []}
        project={project}
        turned={names}
        onTurned={(next) => change({ turned: next.join(",") })}
      />
      <CountedTable project={project} />
      <QuotaHistory />
    </>
  );
}
