/** The settings of a provider in words, and what the form holds of them. Pure. */
import type { Provider, ProviderRequest } from "../../api/types";

export const links = {
  none: {
    label: "Nobody",
    short: "Never",
    about: "Whoever comes for the first time gets an account of their own.",
  },
  email: {
    label: "Whoever has the address that the provider verified",
    short: "By verified address",
    about: "Choose it where the provider is sure of its addresses and nobody else can set them.",
  },
  directory: {
    label: "People whom your directory keeps, by name or verified address",
    short: "That the directory keeps, by name or verified address",
    about: "Choose it where SCIM brings the people, and this provider signs them in.",
  },
} as const;

export const groupModes = {
  known: {
    label: "Leave it out",
    about: "Groups that Podium has are kept equal at each sign-in; the others are ignored.",
  },
  create: {
    label: "Make it here",
    about: "A new group has no role until you give it one.",
  },
} as const;

export interface Draft {
  name: string;
  label: string;
  issuer: string;
  client_id: string;
  scopes: string[];
  username_claim: string;
  link: keyof typeof links;
  groups_claim: string;
  groups: keyof typeof groupModes;
  /** Each with the provider's name for a group, and the one that it has here. */
  names: { there: string; here: string }[];
}

export function draftOf(provider?: Provider): Draft {
  return {
    name: provider?.name ?? "",
    label: provider && provider.label !== provider.name ? provider.label : "",
    issuer: provider?.issuer ?? "",
    client_id: provider?.client_id ?? "",
    scopes: (provider?.scopes ?? ["openid", "profile", "email"]).filter((each) => each !== OPENID),
    username_claim: provider?.username_claim ?? "preferred_username",
    link: provider?.link ?? "none",
    groups_claim: provider?.groups_claim ?? "groups",
    groups: provider?.groups ?? "known",
    names: Object.entries(provider?.group_names ?? {}).map(([there, here]) => ({ there, here })),
  };
}

const OPENID = "openid";

/** What stands in no field of its own: `secret` is the client's, null to leave or to forget it. */
export function requestOf(
  draft: Draft,
  secret: string | null,
  keep: boolean,
): ProviderRequest & { name: string } {
  const { names, scopes, ...rest } = draft;
  return {
    ...rest,
    name: draft.name.trim(),
    label: draft.label.trim(),
    issuer: draft.issuer.trim(),
    client_id: draft.client_id.trim(),
    groups_claim: draft.groups_claim.trim(),
    username_claim: draft.username_claim.trim() || "preferred_username",
    scopes: [OPENID, ...scopes],
    group_names: Object.fromEntries(
      names
        .map(({ there, here }) => [there.trim(), here.trim()])
        .filter(([there, here]) => there || here),
    ),
    client_secret: secret,
    keep_secret: keep,
  };
}

/** What is wrong before anybody is asked, by field. */
export function draftFaults(draft: Draft): Record<string, string> {
  const found: Record<string, string> = {};
  if (!draft.name.trim()) found.name = "Write a short name, like corp.";
  if (!draft.issuer.trim()) {
    found.issuer = "Write the address that the provider gives as its issuer.";
  }
  if (!draft.client_id.trim()) found.client_id = "The provider gives it when you register Podium.";
  for (const { there, here } of draft.names) {
    if (there.trim() && !here.trim()) {
      found[`group_names.${there.trim()}`] = "Name the group here.";
    }
    if (!there.trim() && here.trim()) found["group_names."] = "Name the group there.";
  }
  return found;
}

/** "by the claim groups, made if new" */
export function groupsInWords({ groups_claim, groups }: Provider): string {
  if (!groups_claim) return "kept here";
  return `by the claim ${groups_claim}${groups === "create" ? ", made if new" : ""}`;
}

export function linkInWords({ link }: Provider): string {
  return links[link].short;
}

/** What one registers at the provider, for a name that may not be there yet. */
export function redirectUri(origin: string, name: string): string {
  return `${origin}/api/v1/auth/oidc/${encodeURIComponent(name.trim() || "NAME")}/callback`;
}
