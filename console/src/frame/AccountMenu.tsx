/** Who is signed in, how the console looks, and the way out. */
import { type MantineColorScheme, Menu, useMantineColorScheme } from "@mantine/core";
import { useIdentity, useSignOut } from "../session/queries";
import classes from "./frame.module.css";
import { PersonIcon } from "./icons";

const schemes: { value: MantineColorScheme; label: string }[] = [
  { value: "auto", label: "As the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
];

export function AccountMenu() {
  const { username, administrator } = useIdentity();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const signOut = useSignOut();
  return (
    <Menu position="top-start" width={208} shadow="none">
      <Menu.Target>
        <button type="button" className={classes.room} title={`Signed in as ${username}`}>
          <PersonIcon />
          <span className={classes.railLabel}>{username}</span>
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{administrator ? `${username} · administrator` : username}</Menu.Label>
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(chosen) => setColorScheme(chosen as MantineColorScheme)}
        >
          {schemes.map(({ value, label }) => (
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
