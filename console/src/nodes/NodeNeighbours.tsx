/** Where a node stands: the rack around it and the block around that, each node with its GPUs. */
import { Link } from "@tanstack/react-router";
import type { Node } from "../api/types";
import { counted } from "../quantity/words";
import { GpuCell } from "./GpuCell";
import classes from "./node.module.css";
import { useNodes } from "./queries";
import { racksOf } from "./view";

const RACKS_SHOWN = 24;

export function NodeNeighbours({ node }: { node: Node }) {
  const { data: nodes } = useNodes();
  if (!node.rack && !node.block) return null;
  const near = (nodes ?? []).filter((each) => each.block === node.block);
  const racks = racksOf(near);
  const own = racks.filter(({ rack }) => rack === node.rack);
  const others = racks.filter(({ rack }) => rack !== node.rack);
  return (
    <section aria-labelledby="node-place">
      <h2 id="node-place" className={classes.heading}>
        Where it stands
      </h2>
      <div className={classes.blockBox}>
        {node.block && <p className={classes.placeName}>{node.block}</p>}
        <div className={classes.racks}>
          {own.map(({ rack, nodes: members }) => (
            <div key={rack} className={classes.rackBox} data-own>
              <p className={classes.placeName}>{rack || "No rack told"}</p>
              <ul>
                {members.map((member) => (
                  <li key={member.name}>
                    <Link
                      to="/nodes/$name"
                      params={{ name: member.name }}
                      className={classes.member}
                      data-own={member.name === node.name || undefined}
                      aria-current={member.name === node.name ? "page" : undefined}
                    >
                      <span>{member.name}</span>
                      <span className={classes.memberCells}>
                        {member.devices.map((device) => (
                          <GpuCell key={device.id} device={device} silent />
                        ))}
                      </span>
                    </Link>
                  </li>
                ))}
              </ul>
            </div>
          ))}
          {others.slice(0, RACKS_SHOWN).map(({ rack, nodes: members }) => (
            <div key={rack} className={classes.rackBox}>
              <p className={classes.placeName}>{rack || "No rack told"}</p>
              <p className={classes.quiet}>{counted(members.length, "node")}</p>
            </div>
          ))}
          {others.length > RACKS_SHOWN && (
            <p className={classes.quiet}>{counted(others.length - RACKS_SHOWN, "more rack")}</p>
          )}
        </div>
      </div>
    </section>
  );
}
