/** Classes and kinds of data, and the request of the form. Pure. */
import type { Classification, DataSource, DataSourceRequest } from "../api/types";

export const classes: Record<Classification, { label: string; about: string }> = {
  public: { label: "Public", about: "Anywhere." },
  internal: { label: "Internal", about: "Anywhere in its regions." },
  restricted: { label: "Restricted", about: "Only in pools that are approved for it." },
  phi: { label: "PHI", about: "Health data of persons: only in pools that are approved for it." },
};

export type SourceKind = DataSource["kind"];

export const kinds: Record<SourceKind, string> = {
  folder: "Folder",
  nfs: "NFS",
  s3: "S3",
  pvc: "Volume claim",
};

interface Field {
  name: string;
  label: string;
  example: string;
  optional?: boolean;
}

/** What of `location` each kind has. */
export const locationFields: Record<SourceKind, Field[]> = {
  folder: [{ name: "path", label: "Path on the nodes", example: "/srv/data/scans" }],
  nfs: [
    { name: "server", label: "Server", example: "nas.example.com" },
    { name: "export", label: "Export", example: "/export/scans" },
    { name: "options", label: "Mount options", example: "vers=4.2", optional: true },
  ],
  s3: [
    { name: "endpoint", label: "Endpoint", example: "https://s3.example.com" },
    { name: "bucket", label: "Bucket", example: "models" },
    { name: "prefix", label: "Prefix", example: "v2/", optional: true },
    { name: "region", label: "Region of the bucket", example: "eu-central-1", optional: true },
    { name: "secret", label: "Secret with KEY_ID:KEY", example: "S3_KEYS", optional: true },
    { name: "secret_project", label: "Project of the secret", example: "vision", optional: true },
  ],
  pvc: [
    { name: "claim", label: "Claim", example: "scans" },
    { name: "namespace", label: "Namespace", example: "research", optional: true },
  ],
};

export interface SourceDraft {
  name: string;
  project: string;
  kind: SourceKind;
  classification: Classification;
  regions: string[];
  description: string;
  location: Record<string, string>;
}

export function draftOf(source: DataSource | undefined, project: string): SourceDraft {
  return {
    name: source?.name ?? "",
    project: source?.project ?? project,
    kind: source?.kind ?? (project ? "s3" : "folder"),
    classification: source?.classification ?? "internal",
    regions: source?.regions ?? [],
    description: source?.description ?? "",
    location: source?.location ?? {},
  };
}

/** The request, or what is wrong by field, named as the server names them. */
export function requestOf(
  draft: SourceDraft,
): { body: DataSourceRequest } | { faults: Record<string, string> } {
  const faults: Record<string, string> = {};
  if (!draft.name.trim()) faults.name = "Write a name, like scans.";
  const location: Record<string, string> = {};
  for (const { name, example, optional } of locationFields[draft.kind]) {
    const value = draft.location[name]?.trim() ?? "";
    if (value) location[name] = value;
    else if (!optional) faults[`location.${name}`] = `Write it, like ${example}.`;
  }
  if (Object.keys(faults).length > 0) return { faults };
  const { kind, classification, regions } = draft;
  return {
    body: { kind, classification, regions, location, description: draft.description.trim() },
  };
}

/** "everywhere", "eu-central and eu-west" */
export function regionsInWords(regions: readonly string[]): string {
  return regions.length === 0 ? "everywhere" : regions.join(", ");
}
