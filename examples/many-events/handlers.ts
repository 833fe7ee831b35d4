import { allow, deny, type KiketDelivery, type KiketGuardReply } from 'kiket-express';

export type Post = (line: string) => void | Promise<void>;

// An event of the extension's own: with it the payload has a type, and editors complete the name.
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

    /** Takes every version but those that have a handler of their own. */
    created: async ({ payload }: KiketDelivery<'issue.created'>): Promise<object> => {
      await post(`New: ${payload.issue?.title}`);
      return { ok: true };
    },

    /** Since v2 the issue has a priority; only the urgent ones are told. */
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
