/** Shapes of this page: what was allowed or refused, and whether the trail is whole. */
import { Icon } from "../frame/icons";

export function AllowedIcon() {
  return (
    <Icon size={12}>
      <path d="m3.5 8.5 3 3 6-7" />
    </Icon>
  );
}

export function RefusedIcon() {
  return (
    <Icon size={12}>
      <circle cx="8" cy="8" r="6" />
      <path d="m4 4 8 8" />
    </Icon>
  );
}

export function SealIcon({ broken = false }: { broken?: boolean }) {
  return (
    <Icon>
      <path d="M8 1.75 13.25 4v4c0 3-2.1 5.2-5.25 6.25C4.85 13.2 2.75 11 2.75 8V4Z" />
      <path d={broken ? "M8 5v3.5M8 10.75h.01" : "m5.75 8 1.75 1.75 3-3.25"} />
    </Icon>
  );
}
