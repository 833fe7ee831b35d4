import { actions, addComment, assign, notify, setField, transition, type KiketAction } from 'kiket-express';
import { serializeReply } from '../../../lib/delivery/reply';

const invalid = expect.objectContaining({ code: 'reply.invalid', status: 500 }) as Error;

describe('actions', () => {
  it('should return a reply with the directives in their order', () => {
    const reply = actions(
      addComment('Thank you.'),
      setField({ field: 'priority', value: 'high' }),
      transition({ to: 'done' }),
      assign({ user: 'triage' }),
      notify({ message: 'Look' }),
    );
    expect(JSON.parse(serializeReply(reply, false)!)).toEqual({
      actions: [
        { kind: 'add_comment', body: 'Thank you.' },
        { kind: 'set_field', field: 'priority', value: 'high' },
        { kind: 'transition', to: 'done' },
        { kind: 'assign', user: 'triage' },
        { kind: 'notify', message: 'Look' },
      ],
    });
  });

  it('should not let fields replace the kind', () => {
    expect(setField({ kind: 'notify' })).toEqual({ kind: 'set_field' });
  });

  it.each<[string, () => unknown, RegExp]>([
    ['no directive', () => actions(), /at least one/],
    ['an array', () => actions([addComment('a')] as never), /^actions: directives must be given one by one/],
    ['fields in a string', () => assign('bob' as never), /^assign: fields must be an object, but is a string$/],
    ['an empty comment', () => addComment(''), /body must be a non-empty string/],
    ['a comment that is not a string', () => addComment(7 as never), /body must be a non-empty string/],
    [
      'an unknown kind',
      () => actions({ kind: 'delete' } as unknown as KiketAction),
      /actions\[0\]\.kind must be one of/,
    ],
    ['a value that is not an object', () => actions(addComment('a'), 'b' as never), /actions\[1\] must be an object/],
  ])('should throw a TypeError for %s', (_name, create, message) => {
    expect(create).toThrow(TypeError);
    expect(create).toThrow(message);
  });
});

describe('serializeReply', () => {
  it.each<[string, object]>([
    ['an unknown kind', { actions: [{ kind: 'delete' }] }],
    ['a comment without a body', { actions: [{ kind: 'add_comment' }] }],
    ['a directive that is not an object', { actions: [{ kind: 'notify' }, 'b'] }],
  ])('should refuse directives with %s', (_name, reply) => {
    expect(() => serializeReply(reply, false)).toThrow(invalid);
  });

  it('should refuse directives in the reply to a guard event, even beside a decision', () => {
    const reply = { status: 'allow', actions: [addComment('a')] };
    expect(() => serializeReply(reply, true)).toThrow(invalid);
  });

  it.each<[object]>([
    [{ actions: ['a', 'b'] }],
    [{ actions: 3 }],
    [{ actions: [] }],
    [{ actions: { kind: 'delete' } }],
  ])('should pass on %j, which has no directives', (reply) => {
    expect(serializeReply(reply, false)).toBe(JSON.stringify(reply));
  });
});
