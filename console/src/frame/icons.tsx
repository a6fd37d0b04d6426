/** The frame's icons: 16-pixel outlines in the colour of the text around them. */
import type { ReactNode } from "react";

/** For shapes that belong to one thing and live beside it. */
export function Icon({ children, size = 16 }: { children: ReactNode; size?: number }) {
  return (
    <svg
      aria-hidden="true"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {children}
    </svg>
  );
}

export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 16 16">
      <rect width="16" height="16" rx="4" fill="var(--accent)" />
      <path fill="var(--surface)" d="M3 9h3v4H3zM6.5 5h3v8h-3zM10 7.5h3V13h-3z" />
    </svg>
  );
}

export function WorkloadsIcon() {
  return (
    <Icon>
      <path d="M2 4h7M2 8h12M2 12h9" />
      <path d="M13 2.5v3M11.5 4h3" />
    </Icon>
  );
}

export function NodesIcon() {
  return (
    <Icon>
      <rect x="2" y="2.5" width="12" height="4.5" rx="1" />
      <rect x="2" y="9" width="12" height="4.5" rx="1" />
      <path d="M4.5 4.75h.01M4.5 11.25h.01M8 4.75h3.5M8 11.25h3.5" />
    </Icon>
  );
}

export function SchedulerIcon() {
  return (
    <Icon>
      <path d="M13.5 6.5A5.75 5.75 0 0 0 3.3 4.6M2.5 9.5a5.75 5.75 0 0 0 10.2 1.9" />
      <path d="M3 2v3h3M13 14v-3h-3" />
    </Icon>
  );
}

export function GovernanceIcon() {
  return (
    <Icon>
      <path d="M8 2.5v11M5 13.5h6M3.5 4.75h9" />
      <path d="m3.5 4.75-2 5a2.1 2.1 0 0 0 4 0ZM12.5 4.75l-2 5a2.1 2.1 0 0 0 4 0Z" />
    </Icon>
  );
}

export function AuditIcon() {
  return (
    <Icon>
      <path d="M3.5 2.5h6l3 3v3M3.5 2.5v11H7M9.5 2.5v3h3" />
      <path d="M6 7.5h2.5M6 10h1.5" />
      <path d="m9.5 12 1.5 1.5 3-3" />
    </Icon>
  );
}

export function SearchIcon() {
  return (
    <Icon>
      <circle cx="7" cy="7" r="4.5" />
      <path d="m10.5 10.5 3 3" />
    </Icon>
  );
}

export function CloseIcon() {
  return (
    <Icon>
      <path d="m4 4 8 8M12 4l-8 8" />
    </Icon>
  );
}

export function CopyIcon() {
  return (
    <Icon>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 3.5a1 1 0 0 0-1-1h-6a1 1 0 0 0-1 1v6a1 1 0 0 0 1 1" />
    </Icon>
  );
}

export function CheckIcon() {
  return (
    <Icon>
      <path d="m3 8.5 3.5 3.5L13 4.5" />
    </Icon>
  );
}

export function ChevronIcon() {
  return (
    <Icon size={12}>
      <path d="m4 6 4 4 4-4" />
    </Icon>
  );
}

export function PersonIcon() {
  return (
    <Icon>
      <circle cx="8" cy="5.5" r="2.75" />
      <path d="M2.75 13.5c.6-2.4 2.6-3.75 5.25-3.75s4.65 1.35 5.25 3.75" />
    </Icon>
  );
}

export function PeopleIcon() {
  return (
    <Icon>
      <circle cx="6" cy="5.5" r="2.5" />
      <path d="M1.75 13.5a4.25 4.25 0 0 1 8.5 0M10.5 3.25a2.5 2.5 0 0 1 0 4.5M12 9.75a4.25 4.25 0 0 1 2.25 3.75" />
    </Icon>
  );
}

export function ArrowIcon({ up = false }: { up?: boolean }) {
  return (
    <Icon size={12}>
      <path d={up ? "M8 13V3M4 7l4-4 4 4" : "M8 3v10M4 9l4 4 4-4"} />
    </Icon>
  );
}

export function WrapIcon() {
  return (
    <Icon>
      <path d="M2 3.5h12M2 8h9.5a2.25 2.25 0 0 1 0 4.5H8M2 12.5h3" />
      <path d="m9.5 11-1.5 1.5L9.5 14" />
    </Icon>
  );
}

export function ClockIcon() {
  return (
    <Icon>
      <circle cx="8" cy="8" r="5.75" />
      <path d="M8 4.75V8l2.25 1.5" />
    </Icon>
  );
}

export function DownloadIcon() {
  return (
    <Icon>
      <path d="M8 2.5v7.25M4.75 6.75 8 10l3.25-3.25M2.75 13.5h10.5" />
    </Icon>
  );
}

export function WarningIcon() {
  return (
    <Icon>
      <path d="M8 2 14.5 13.5H1.5Z" />
      <path d="M8 6.25v3.25M8 11.5h.01" />
    </Icon>
  );
}

export function OverviewIcon() {
  return (
    <Icon>
      <rect x="2" y="2" width="5" height="7" rx="1" />
      <rect x="9" y="2" width="5" height="4" rx="1" />
      <rect x="2" y="11" width="5" height="3" rx="1" />
      <rect x="9" y="8" width="5" height="6" rx="1" />
    </Icon>
  );
}

export function QueueIcon() {
  return (
    <Icon>
      <circle cx="3.75" cy="4" r="1.75" />
      <circle cx="3.75" cy="12" r="1.75" />
      <path d="M8 4h6M8 12h6M8 8h4" />
      <path d="M3.75 5.75v4.5" />
    </Icon>
  );
}

export function PlusIcon() {
  return (
    <Icon>
      <path d="M8 3v10M3 8h10" />
    </Icon>
  );
}

export function BellIcon() {
  return (
    <Icon>
      <path d="M4 7a4 4 0 0 1 8 0c0 2.75 1.25 3.75 1.25 3.75H2.75S4 9.75 4 7Z" />
      <path d="M6.5 13a1.6 1.6 0 0 0 3 0" />
    </Icon>
  );
}

export function MoreIcon() {
  return (
    <Icon>
      <path d="M3 8h.01M8 8h.01M13 8h.01" strokeWidth="2" />
    </Icon>
  );
}

export function SwitchIcon() {
  return (
    <Icon size={12}>
      <path d="m4.5 5.5 3.5-3 3.5 3M4.5 10.5l3.5 3 3.5-3" />
    </Icon>
  );
}

export function RailIcon() {
  return (
    <Icon>
      <rect x="2" y="2.5" width="12" height="11" rx="1.5" />
      <path d="M6 2.5v11" />
    </Icon>
  );
}

export function ProjectIcon() {
  return (
    <Icon>
      <path d="M8 1.75 14 5 8 8.25 2 5Z" />
      <path d="m2 8 6 3.25L14 8" />
      <path d="m2 11 6 3.25L14 11" />
    </Icon>
  );
}

export function KeyboardIcon() {
  return (
    <Icon>
      <rect x="1.75" y="3.5" width="12.5" height="9" rx="1.5" />
      <path d="M4.5 6.5h.01M7 6.5h.01M9.5 6.5h.01M12 6.5h.01M5 9.75h6" />
    </Icon>
  );
}

export function LinkIcon() {
  return (
    <Icon>
      <path d="M6.75 9.25a2.75 2.75 0 0 0 4 .25l2-2a2.8 2.8 0 0 0-4-4l-.75.75" />
      <path d="M9.25 6.75a2.75 2.75 0 0 0-4-.25l-2 2a2.8 2.8 0 0 0 4 4l.75-.75" />
    </Icon>
  );
}

export function DoIcon() {
  return (
    <Icon>
      <path d="M6 3.5 11.5 8 6 12.5" />
    </Icon>
  );
}

export function InfoIcon() {
  return (
    <Icon>
      <circle cx="8" cy="8" r="5.75" />
      <path d="M8 7.5v3.25M8 5.25h.01" />
    </Icon>
  );
}

export function SignOutIcon() {
  return (
    <Icon>
      <path d="M6.5 2.5h-3a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3M10 11l3-3-3-3M13 8H6" />
    </Icon>
  );
}

export function SchemeIcon() {
  return (
    <Icon>
      <circle cx="8" cy="8" r="5.75" />
      <path d="M8 2.25v11.5" />
      <path d="M8 4.5a3.5 3.5 0 0 1 0 7" />
    </Icon>
  );
}

export function RowsIcon() {
  return (
    <Icon>
      <path d="M2.5 4h11M2.5 8h11M2.5 12h11" />
    </Icon>
  );
}
