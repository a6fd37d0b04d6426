/** The commands that are there on every page. */
import { useMantineColorScheme } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import { textCopy } from "../frame/clipboard";
import {
  ClockIcon,
  GovernanceIcon,
  InfoIcon,
  KeyboardIcon,
  LinkIcon,
  PersonIcon,
  PlusIcon,
  ProjectIcon,
  RailIcon,
  RowsIcon,
  SchemeIcon,
  SignOutIcon,
} from "../frame/icons";
import { railSetting } from "../frame/railSetting";
import { useRooms } from "../frame/rooms";
import { useGovernanceTabs } from "../governance/tabs";
import { useProject, useProjectSwitch } from "../projects/scope";
import { useSignOut } from "../session/queries";
import { densitySetting } from "../theme/density";
import { zoneSetting } from "../time/zone";
import { type Command, useCommands } from "./commands";
import { keysOpen } from "./opened";

export function useFrameCommands(): void {
  useCommands([...useRoomCommands(), ...useChoiceCommands()], 0);
}

function useRoomCommands(): Command[] {
  const navigate = useNavigate();
  const rooms = useRooms();
  const pages = useGovernanceTabs();
  const go = (id: string, name: string, keywords: string, to: "/account" | "/about"): Command => ({
    id,
    name,
    keywords,
    group: "Go to",
    Icon: to === "/account" ? PersonIcon : InfoIcon,
    run: () => void navigate({ to }),
  });
  return [
    ...rooms.map(
      ({ to, label, keywords, key, Icon }): Command => ({
        id: `go ${to}`,
        name: label,
        keywords,
        group: "Go to",
        keys: `g ${key}`,
        Icon,
        run: () => void navigate({ to }),
      }),
    ),
    ...pages.map(
      ({ to, label }): Command => ({
        id: `page ${to}`,
        name: label,
        keywords: "governance",
        group: "Go to",
        Icon: GovernanceIcon,
        run: () => void navigate({ to }),
      }),
    ),
    go(
      "go /account",
      "Account and tokens",
      "settings profile password api token density",
      "/account",
    ),
    go("go /about", "About Podium", "version health licence api document", "/about"),
    {
      id: "make workload",
      name: "New workload",
      keywords: "submit run start create job yaml",
      keys: "c",
      Icon: PlusIcon,
      run: () => void navigate({ to: "/submit" }),
    },
  ];
}

function useChoiceCommands(): Command[] {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const zone = zoneSetting.use();
  const density = densitySetting.use();
  const project = useProject();
  const projectSwitch = useProjectSwitch();
  const signOut = useSignOut();
  const scheme = (value: "light" | "dark" | "auto", name: string): Command[] =>
    colorScheme === value
      ? []
      : [
          {
            id: `scheme ${value}`,
            name,
            keywords: "appearance theme colour color scheme mode",
            Icon: SchemeIcon,
            run: () => setColorScheme(value),
          },
        ];
  return [
    ...(project
      ? [
          {
            id: "project all",
            name: "Show all projects",
            keywords: "switch project clear",
            Icon: ProjectIcon,
            run: () => projectSwitch(undefined),
          },
        ]
      : []),
    {
      id: "copy link",
      name: "Copy link to this page",
      keywords: "share url address permalink",
      Icon: LinkIcon,
      run: () => void textCopy(window.location.href),
    },
    ...scheme("light", "Use light colours"),
    ...scheme("dark", "Use dark colours"),
    ...scheme("auto", "Use the system's colours"),
    zone === "utc"
      ? {
          id: "zone",
          name: "Show times in this computer's zone",
          keywords: "time zone timezone local",
          Icon: ClockIcon,
          run: () => zoneSetting.set("browser"),
        }
      : {
          id: "zone",
          name: "Show times in UTC",
          keywords: "time zone timezone",
          Icon: ClockIcon,
          run: () => zoneSetting.set("utc"),
        },
    {
      id: "density",
      name: density === "compact" ? "Use comfortable rows" : "Use compact rows",
      keywords: "density spacing height",
      Icon: RowsIcon,
      run: () => densitySetting.set(density === "compact" ? "comfortable" : "compact"),
    },
    {
      id: "rail",
      name: "Fold or unfold the rail",
      keywords: "sidebar collapse expand navigation",
      keys: "[",
      Icon: RailIcon,
      run: railSetting.toggle,
    },
    {
      id: "keys",
      name: "Show all keys",
      keywords: "help shortcuts keyboard",
      keys: "?",
      Icon: KeyboardIcon,
      run: keysOpen,
    },
    {
      id: "sign out",
      name: "Sign out",
      keywords: "log out logout leave",
      Icon: SignOutIcon,
      run: () => signOut.mutate(),
    },
  ];
}
