/** Demand against what is guaranteed, and how many more GPUs would have shortened the wait. */
import { useMay } from "../session/queries";
import { DemandPart } from "./DemandPart";
import { PlanPart } from "./PlanPart";

export default function PlanningPage() {
  const whole = useMay()("usage:read");
  return (
    <>
      <DemandPart />
      {whole && <PlanPart />}
    </>
  );
}
