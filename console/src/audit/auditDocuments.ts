/** Documents of the audit trail, for tests. */
import type { AuditEntry, AuditState, AuditVerdict } from "../api/types";

export function entryOf(given: Partial<AuditEntry> = {}): AuditEntry {
  return {
    seq: 12,
    at: "2026-03-01T09:00:00Z",
    actor: "ana",
    action: "quota:set",
    subject: "vision",
    project: "vision",
    outcome: "allowed",
    detail: {
      before: { weight: 1, guarantees: { A100: 4000 }, limits: {} },
      after: { weight: 2, guarantees: { A100: 4000 }, limits: { A100: 8000 } },
      level: "project",
    },
    source: "10.0.0.7",
    token_id: "t-06h0asqzmrv1712n",
    user_agent: "podium/0.1.0",
    request_id: "8b0777f3d622a627",
    hash: "09f9a21cf25efade",
    ...given,
  };
}

export const refusedEntry = entryOf({
  seq: 11,
  at: "2026-02-28T23:10:00Z",
  actor: "",
  action: "user:sign-in",
  subject: "auth/login",
  project: null,
  outcome: "refused",
  detail: { method: "POST", why: "The name or the password is wrong.", times: 5 },
  token_id: "",
});

export function stateOf(given: Partial<AuditState> = {}): AuditState {
  return {
    last_seq: 12,
    sealed_seq: 10,
    sealed_at: "2026-03-01T09:00:00Z",
    alarm: "",
    kept_days: 400,
    removal: null,
    key: { key_id: "e2293d9b1bd6ff37", algorithm: "Ed25519", public_key: "KPAnpA==" },
    ...given,
  };
}

export function verdictOf(given: Partial<AuditVerdict> = {}): AuditVerdict {
  return {
    ok: true,
    entries: 12,
    first_seq: 1,
    last_seq: 12,
    sealed_seq: 10,
    unsealed: 2,
    seals: 3,
    first_fault_seq: null,
    fault_count: 0,
    faults: [],
    excused: [],
    breaks: [],
    removal: null,
    key_ids: ["e2293d9b1bd6ff37"],
    took_ms: 7,
    ...given,
  };
}

export const changedVerdict = verdictOf({
  ok: false,
  first_fault_seq: 11,
  fault_count: 1,
  faults: [
    {
      kind: "changed",
      first_seq: 11,
      last_seq: 11,
      sentence: "Entry 11 does not fit entry 10: it was changed, or entry 10 was, with its hash.",
    },
  ],
});
