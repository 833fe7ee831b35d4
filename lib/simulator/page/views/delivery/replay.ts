import type { ReplayMode } from '../../../local-kiket';
import { api } from '../../api';
import { deliveryHref, navigate } from '../../router';
import { attempt } from '../../state/messages';

/** Sends a delivery again, and shows the new one. */
export async function replay(id: string, mode: ReplayMode): Promise<void> {
  const accepted = await attempt(api.replay(id, mode), ({ delivery }) => `Replayed as delivery ${delivery.number}`);
  if (accepted !== undefined) navigate(deliveryHref(accepted.id));
}
