/** The rooms: a rail at the left, icons alone on narrower screens, a bar below on phones. */
import { Link } from "@tanstack/react-router";
import { AccountMenu } from "./AccountMenu";
import classes from "./frame.module.css";
import { Mark, NodesIcon, WorkloadsIcon } from "./icons";

const rooms = [
  { to: "/workloads", label: "Workloads", Icon: WorkloadsIcon },
  { to: "/nodes", label: "Nodes and GPUs", Icon: NodesIcon },
] as const;

export function Rail() {
  return (
    <nav aria-label="Rooms" className={classes.rail}>
      <Link to="/workloads" className={classes.brand} aria-label="Podium">
        <Mark />
        <span className={classes.railLabel}>Podium</span>
      </Link>
      <div className={classes.rooms}>
        {rooms.map(({ to, label, Icon }) => (
          <Link key={to} to={to} className={classes.room} title={label}>
            <Icon />
            <span className={classes.railLabel}>{label}</span>
          </Link>
        ))}
      </div>
      <AccountMenu />
    </nav>
  );
}
