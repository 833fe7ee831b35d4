import { allow, deny, type KiketDelivery, type KiketGuardReply } from 'kiket-express';

export type Post = (line: string) => void | Promise<void>;

// Declares an event of this extension, so that its payload has a type and editors complete its name.
declare module 'kiket-express' {
  interface KiketEventMap {
    'acme.release_published': { readonly release?: { readonly name?: string } };
  }
}

export function createHandlers(post: Post) {
  return {
    beforeTransition: ({ payload }: KiketDelivery<'workflow.before_transition'>): KiketGuardReply => {
      const { transition, issue } = payload;
      return transition?.to === 'released' && !issue?.release_note
        ? deny('Write a release note before the issue is released.')
        : allow();
    },

    /** Handles every version without a handler of its own. */
    created: async ({ payload }: KiketDelivery<'issue.created'>): Promise<object> => {
      await post(`New: ${payload.issue?.title}`);
      return { ok: true };
    },

    /** Since v2 the issue has a priority; only urgent issues are posted. */
    createdV2: async ({ payload }: KiketDelivery<'issue.created@v2'>): Promise<object> => {
      const urgent = payload.issue?.priority === 'urgent';
      if (urgent) await post(`New and urgent: ${payload.issue?.title}`);
      return { ok: true, posted: urgent };
    },

    changed: async ({ event, payload }: KiketDelivery<'issue.assigned' | 'issue.status_changed'>): Promise<void> => {
      await post(`${event === 'issue.assigned' ? 'Assigned' : 'Moved'}: ${payload.issue?.title}`);
    },

    commented: async ({ event, payload }: KiketDelivery<'comment.*'>): Promise<void> => {
      await post(`${event} on ${payload.issue?.title}`);
    },

    released: async ({ payload }: KiketDelivery<'acme.release_published'>): Promise<void> => {
      await post(`Released: ${payload.release?.name}`);
    },
  };
}
