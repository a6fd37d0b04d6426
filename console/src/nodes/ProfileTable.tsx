/** The profiles of a board: each is dragged onto the slices, or added where a start is pressed. */
import { bytesInWords } from "../quantity/words";
import { type Instance, objection, type Profile } from "./layout";
import classes from "./slices.module.css";
import type { useInstanceDrag } from "./useInstanceDrag";

interface Props {
  profiles: readonly Profile[];
  placed: readonly Instance[];
  handlers: ReturnType<typeof useInstanceDrag>["handlers"];
  wasDragged: () => boolean;
  onAdd: (profile: Profile, start: number) => void;
}

export function ProfileTable({ profiles, placed, handlers, wasDragged, onAdd }: Props) {
  return (
    <table className={classes.profiles}>
      <thead>
        <tr>
          <th scope="col">Drag, or press</th>
          <th scope="col">Memory</th>
          <th scope="col">At memory slice</th>
        </tr>
      </thead>
      <tbody>
        {profiles.map((profile) => {
          const wrong = profile.starts.map((start) => objection(profiles, placed, profile, start));
          const first = profile.starts[wrong.indexOf(null)];
          return (
            <tr key={profile.name}>
              <th scope="row">
                <button
                  type="button"
                  className={classes.chip}
                  aria-disabled={first === undefined}
                  title={first === undefined ? (wrong[0] ?? undefined) : undefined}
                  aria-label={`Add ${profile.name} where there is room`}
                  {...handlers(profile)}
                  onClick={() => {
                    if (first !== undefined && !wasDragged()) onAdd(profile, first);
                  }}
                >
                  {profile.name}
                </button>
              </th>
              <td>{bytesInWords(profile.memory_bytes)}</td>
              <td>
                {profile.starts.map((start, at) => (
                  <button
                    key={start}
                    type="button"
                    className={classes.start}
                    disabled={wrong[at] !== null}
                    title={wrong[at] ?? undefined}
                    aria-label={`Add ${profile.name} at slice ${start}`}
                    onClick={() => onAdd(profile, start)}
                  >
                    {start}
                  </button>
                ))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
