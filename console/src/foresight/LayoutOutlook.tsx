/** What a layout would do to those who wait and run, when somebody asks. The editor shows it. */
import { Button } from "@mantine/core";
import { useState } from "react";
import { Skeleton } from "../frame/PageState";
import { Difference } from "./Difference";
import { useWhatIf } from "./queries";

interface Props {
  node: string;
  gpu: number;
  layout: string;
  move: boolean;
}

export function LayoutOutlook({ node, gpu, layout, move }: Props) {
  // For the layout that was asked about: another one is asked about anew.
  const [asked, setAsked] = useState<string | null>(null);
  const question = `${layout} ${move}`;
  const isAsked = asked === question;
  const { data, error, isPlaceholderData } = useWhatIf(
    [{ change: "layout", node, gpu, layout, move }],
    isAsked,
  );
  if (!isAsked) {
    return (
      <Button variant="default" size="xs" onClick={() => setAsked(question)}>
        What would this do to others?
      </Button>
    );
  }
  return (
    <div aria-live="polite">
      {data && !isPlaceholderData ? (
        <Difference found={data} />
      ) : error ? (
        <p>What it does to others cannot be told now: {error.message}</p>
      ) : (
        <Skeleton rows={2} label="Playing it through" />
      )}
    </div>
  );
}
