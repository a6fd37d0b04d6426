/** Who is signed in, the way to what is one's own, and the way out. */
import { type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { keysOpen } from "../palette/opened";
import { useIdentity, useSignOut } from "../session/queries";
import { zoneSetting } from "../time/zone";
import frame from "./frame.module.css";
import classes from "./rail.module.css";

export const schemeChoices: { value: MantineColorScheme; label: string }[] = [
  { value: "auto", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

export const zoneChoices = [
  { value: "browser", label: "This computer's" },
  { value: "utc", label: "UTC" },
] as const;

export function AccountMenu() {
  const { username, administrator } = useIdentity();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const zone = zoneSetting.use();
  const signOut = useSignOut();
  return (
    <Menu position="top-start" width={208}>
      <Menu.Target>
        <button type="button" className={classes.room} title={`Signed in as ${username}`}>
          <span className={classes.avatar} aria-hidden>
            {username.slice(0, 1)}
          </span>
          <span className={classes.label}>{username}</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{administrator ? `${username} · administrator` : username}</Menu.Label>
        <Menu.Item renderRoot={(props) => <Link to="/account" {...props} />}>
          Account and tokens
        </Menu.Item>
        <Menu.Item rightSection={<kbd className={frame.key}>?</kbd>} onClick={keysOpen}>
          Keys
        </Menu.Item>
        <Menu.Item renderRoot={(props) => <Link to="/about" {...props} />}>About Podium</Menu.Item>
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(chosen) => setColorScheme(chosen as MantineColorScheme)}
        >
          {schemeChoices.map(({ value, label }) => (
            <Menu.RadioItem key={value} value={value}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Label>Time zone</Menu.Label>
        <Menu.RadioGroup
          value={zone}
          onChange={(chosen) => zoneSetting.set(chosen as "browser" | "utc")}
        >
          {zoneChoices.map(({ value, label }) => (
            <Menu.RadioItem key={value} value={value}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item onClick={() => signOut.mutate()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
