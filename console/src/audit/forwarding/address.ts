/** The ways in which the trail is sent, and the address that one types without its beginning. Pure. */

export const ways = {
  tls: {
    label: "Syslog over TLS",
    field: "Host and port",
    hint: "siem.example.com:6514",
    about: "Encrypted, and the receiver's certificate is checked.",
  },
  tcp: {
    label: "Syslog over TCP",
    field: "Host and port",
    hint: "siem.example.com:601",
    about: "In order and without loss, but others on the way can read it.",
  },
  udp: {
    label: "Syslog over UDP",
    field: "Host and port",
    hint: "siem.example.com:514",
    about: "Nobody knows whether a message arrived, and others on the way can read it.",
  },
  https: {
    label: "Webhook",
    field: "Address",
    hint: "hooks.example.com/audit",
    about: "Batches of JSON by POST, signed if there is a secret.",
  },
  http: {
    label: "Webhook over http",
    field: "Address",
    hint: "hooks.example.com/audit",
    about: "As a webhook, but others on the way can read it.",
  },
} as const;

export type Way = keyof typeof ways;

/** "tls://siem:6514" → ["tls", "siem:6514"]; a scheme that somebody pasted chooses the way. */
export function addressSplit(address: string): [Way | undefined, string] {
  const [, scheme = "", rest = ""] = /^([a-z]+):\/\/(.*)$/i.exec(address.trim()) ?? [];
  const way = scheme.toLowerCase();
  return way in ways ? [way as Way, rest] : [undefined, address];
}

export function addressJoin(way: Way, rest: string): string {
  return `${way}://${rest.trim()}`;
}

export function isWebhook(way: Way): boolean {
  return way === "https" || way === "http";
}

/** Whether a certificate is looked at, so that an authority of one's own may be needed. */
export function isChecked(way: Way): boolean {
  return way === "tls" || way === "https";
}
