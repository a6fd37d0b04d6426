import { expect, test } from "vitest";
import { gpusOf, quotasOf } from "./queueDocuments";
import { quotaRequest, quotaTexts } from "./quotaForm";
import { barOf, barScales, gpusInLines, scaleKey, sharesShown } from "./shares";

const shown = (turned: string[] = [], project?: string) =>
  sharesShown(quotasOf(), turned, project).map(({ share }) => share.name);

test("the tree opens and folds by team, and keeps one branch for one project", () => {
  expect(shown()).toEqual(["organisation", "research", "speech", "vision"]);
  expect(shown(["research"])).toEqual(["organisation", "research"]);
  expect(shown([], "vision")).toEqual(["organisation", "research", "vision"]);
});

test("many projects are folded at first, and so is a team with nothing", () => {
  const many = Array.from({ length: 12 }, (_, at) => ({
    level: "project" as const,
    name: `p-${at}`,
    team: "research",
    weight: 1,
    share: 0,
    gpus: [],
    counted: [],
  }));
  expect(sharesShown(quotasOf(many), [], undefined)).toHaveLength(2);
  expect(sharesShown(quotasOf(many), ["research"], undefined)).toHaveLength(16);
  const idle = [
    {
      level: "team" as const,
      name: "idle",
      team: null,
      weight: 1,
      share: 0,
      gpus: [gpusOf()],
      counted: [],
    },
    {
      level: "project" as const,
      name: "p",
      team: "idle",
      weight: 1,
      share: 0,
      gpus: [],
      counted: [],
    },
  ];
  expect(sharesShown(quotasOf(idle), [], undefined).at(-1)).toMatchObject({
    share: { name: "idle" },
    folded: true,
  });
});

test("all types together stand there only where that says something", () => {
  const rows = sharesShown(quotasOf(), [], undefined);
  expect(rows.map(({ gpus }) => gpus.map(({ gpu_type }) => gpu_type))).toEqual([
    ["H100"],
    ["H100"],
    ["all"],
    ["H100"],
  ]);
});

test("a bar says what is its own, borrowed, waited for, guaranteed and the most", () => {
  const quotas = quotasOf();
  const rows = sharesShown(quotas, [], undefined);
  const vision = rows.at(-1);
  const gpus = vision?.gpus[0];
  if (!vision || !gpus) throw new Error("vision is not there");
  const whole = barScales(rows, quotas).get(scaleKey(vision.share, gpus)) ?? 0;
  expect(whole).toBe(16_000);
  expect(barOf(gpus, whole)).toEqual({
    own: 50,
    borrowed: 25,
    waiting: 25,
    guarantee: 50,
    limit: 100,
  });
  expect(gpusInLines(gpus).slice(0, 5)).toEqual([
    "12 held now",
    "4 of them borrowed",
    "8 guaranteed",
    "16 at most",
    "8 waited for",
  ]);
});

test("the form of a quota keeps what is set, and asks for numbers", () => {
  const quotas = quotasOf();
  const vision = quotas.items.at(-1);
  if (!vision) throw new Error("vision is not there");
  const texts = quotaTexts(vision, quotas);
  expect(quotaRequest(texts)).toEqual({
    request: {
      weight: 2,
      gpus: { H100: { guarantee_milli: 8000, limit_milli: 16_000, per_user_milli: null } },
      ceilings: {},
    },
  });
  const wrong = {
    weight: "many",
    gpus: { H100: { guarantee: "0,5", limit: "-1", each: "some" } },
    ceilings: { workspaces: "1.5", memory_bytes: "much" },
  };
  expect(quotaRequest(wrong)).toEqual({
    faults: {
      weight: expect.stringContaining("whole number"),
      "gpus.H100.limit_milli": expect.stringContaining("number of GPUs"),
      "gpus.H100.per_user_milli": expect.stringContaining("number of GPUs"),
      "ceilings.workspaces": expect.stringContaining("whole number"),
      "ceilings.memory_bytes": expect.stringContaining("Write a number"),
    },
  });
  const set = {
    weight: "0",
    gpus: { H100: { guarantee: "0,5", limit: "", each: "2" } },
    ceilings: { cpu_milli: "64", memory_bytes: "1.5", workspaces: "0", storage_bytes: "" } as const,
  };
  expect(quotaRequest(set)).toEqual({
    request: {
      weight: 0,
      gpus: { H100: { guarantee_milli: 500, limit_milli: null, per_user_milli: 2000 } },
      ceilings: { cpu_milli: 64_000, memory_bytes: 1.5 * 2 ** 30, workspaces: 0 },
    },
  });
});
