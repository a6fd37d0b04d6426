/** Asks before MIG is turned on or off on a GPU, and says what that needs and changes. */
import { Button } from "@mantine/core";
import type { Device } from "../api/types";
import { Dialog, DialogActions, DialogFailure, dialogBody } from "../frame/Dialog";
import { useModeChange } from "./layoutQueries";

interface Props {
  device: Device;
  node: string;
  onClose: () => void;
}

export function ModeDialog({ device, node, onClose }: Props) {
  const change = useModeChange(node, device.index);
  const turned = device.mig ? "off" : "on";
  const hindrance = hindranceOf(device);
  return (
    <Dialog title={`Turn MIG ${turned} on GPU ${device.index} of ${node}`} onClose={onClose}>
      <div className={dialogBody}>
        <p>
          {device.mig
            ? "Its instances end. Work gets the whole GPU or a share of it again, and no longer instances."
            : "It is cut into instances as work asks for them, and no longer given to work that asks for a whole GPU or a share without MIG."}
        </p>
        <p>
          {hindrance ??
            "The GPU is idle, as that needs. Work that is placed on it meanwhile makes the driver refuse, and nothing changes."}
        </p>
        {change.error && <DialogFailure>{change.error.message}</DialogFailure>}
        <DialogActions>
          <Button variant="default" onClick={onClose}>
            Leave as it is
          </Button>
          <Button
            loading={change.isPending}
            disabled={hindrance !== null}
            onClick={() => change.mutate(!device.mig, { onSuccess: onClose })}
          >
            Turn MIG {turned}
          </Button>
        </DialogActions>
      </div>
    </Dialog>
  );
}

/** Why it cannot be done now; null where nothing is known to be in the way. */
export function hindranceOf(device: Device): string | null {
  const { mig, pinned, gpu_milli_used, holders = [], slices = [] } = device;
  if (mig && pinned) return "Its layout is pinned. Unpin it first.";
  const strange = slices.some(({ state }) => state === "busy");
  if (gpu_milli_used === 0 && !strange) return null;
  const names = [...new Set(holders.map(({ name }) => name))];
  const shown = names.length > 0 && names.length <= 3 ? names.join(", ") : "work";
  const who =
    gpu_milli_used > 0 ? `held by ${shown}` : "used by something that Podium does not know";
  return `This needs an idle GPU, and it is ${who}. Cordon the node, and come back when that has ended.`;
}
