/** A shape for each level of a notice, so that its hue is never all that tells. */
import type { ReactNode } from "react";
import type { Notice } from "../api/types";
import { Icon } from "../frame/icons";

export const levelShape: Record<Notice["level"], ReactNode> = {
  good: (
    <Icon>
      <circle cx="8" cy="8" r="5.75" />
      <path d="m5.5 8.25 1.75 1.75 3.25-3.75" />
    </Icon>
  ),
  plain: (
    <Icon>
      <circle cx="8" cy="8" r="5.75" />
      <path d="M8 7.5v3.25M8 5.25h.01" />
    </Icon>
  ),
  bad: (
    <Icon>
      <circle cx="8" cy="8" r="5.75" />
      <path d="m6 6 4 4M10 6l-4 4" />
    </Icon>
  ),
};
