import type { VNode } from 'preact';
import { Section } from '../components/section';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { DeliveryInput, DeliveryOptions } from '../../local-kiket';
import { api, type EventChoice, type SchemaProblem } from '../api';
import { commandFor, editsBetween } from '../command-line';
import { Command } from '../components/empty';
import { Foreign } from '../components/foreign';
import { Problem } from '../components/problem';
import { placeOfPointer, readJson } from '../json-text';
import { deliveryHref, navigate, query } from '../router';
import { attempt } from '../state/messages';
import { target } from '../state/overview';
import { useLoad } from '../state/use-load';
import { SendOptions } from './send/send-options';

type Payload = Readonly<Record<string, unknown>>;

/** After this pause in typing the payload is compared with the contract. */
const PAUSE_MS = 300;

/** Writes a delivery and sends it. */
export function Send(): VNode {
  const from = query().get('from') ?? '';
  const events = useLoad(() => api.events());
  const tamperings = useLoad(() => api.tamperings());
  const settings = useLoad(() => api.settings());
  const origin = useLoad(async () => (from === '' ? undefined : await api.delivery(from)), from);
  const [event, setEvent] = useState(query().get('event') ?? '');
  const [options, setOptions] = useState<DeliveryOptions>({});
  const [tamper, setTamper] = useState(query().get('tamper') ?? '');
  const [text, setText] = useState('');
  const [template, setTemplate] = useState<Payload | undefined>(undefined);
  const [isSending, setSending] = useState(false);
  const editor = useRef<HTMLTextAreaElement>(null);
  const envelope = options.envelope ?? settings.data?.envelope ?? 'contract';

  useEffect(() => {
    if (event === '' && from === '') setEvent(events.data?.events[0]?.event ?? '');
  }, [events.data]);

  useEffect(() => {
    const { data } = origin;
    if (data === undefined) return;
    setEvent(data.event ?? '');
    setTemplate(data.payload);
    setText(textOf(data.payload ?? jsonOf(data.attempts.at(-1)?.request.body ?? '') ?? {}));
  }, [origin.data]);

  useEffect(() => {
    if (from !== '' || event === '' || settings.data === undefined) return;
    let isCurrent = true;
    void attempt(api.template(event, envelope)).then((loaded) => {
      if (!isCurrent || loaded === undefined) return;
      setTemplate(loaded.payload);
      setText(textOf(loaded.payload));
    });
    return () => {
      isCurrent = false;
    };
  }, [event, envelope, from, settings.data === undefined]);

  const json = useMemo(() => readJson(text), [text]);
  const payload = json.root?.type === 'object' ? (JSON.parse(text) as Payload) : undefined;
  const problems = useProblems(payload === undefined ? undefined : text);
  const edits =
    payload === undefined || template === undefined || from !== '' ? undefined : editsBetween(template, payload);
  const select = (offset: number): void => {
    editor.current?.focus();
    editor.current?.setSelectionRange(offset, offset);
  };

  const send = async (): Promise<void> => {
    if (payload === undefined) return;
    // An example that was not edited gets fresh ids.
    const isExample = edits !== undefined && Object.keys(edits.set).length === 0 && edits.unset.length === 0;
    const input: DeliveryInput = {
      ...(event !== '' && { event }),
      ...(!isExample && { payload }),
      options,
      ...(tamper !== '' && { tamper }),
    };
    setSending(true);
    const accepted = await attempt(api.send(input), ({ delivery }) => `Sent as delivery ${delivery.number}`);
    setSending(false);
    if (accepted !== undefined) navigate(deliveryHref(accepted.id));
  };

  const error = events.error ?? tamperings.error ?? settings.error ?? origin.error;
  return (
    <form
      class="send"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        void send();
      }}
      onKeyDown={(pressed) => {
        if (pressed.key === 'Enter' && (pressed.ctrlKey || pressed.metaKey)) void send();
        if (pressed.key === 'Escape' && pressed.target instanceof HTMLElement) pressed.target.blur();
      }}
    >
      <h1>{from === '' ? 'Send' : 'Edit and send'}</h1>
      {error !== undefined && <Problem text={error} />}
      <div class="send-columns">
        <div class="send-main">
          <div class="row">
            <EventField event={event} events={events.data?.events ?? []} isFixed={from !== ''} onChange={setEvent} />
            <button type="submit" class="primary send-button" disabled={payload === undefined || isSending}>
              {isSending ? 'Sending…' : 'Send'}
            </button>
          </div>
          <label class="field">
            <span>Payload</span>
            <textarea
              ref={editor}
              class="editor"
              spellcheck={false}
              autocomplete="off"
              value={text}
              aria-invalid={payload === undefined}
              aria-describedby="payload-problems"
              onInput={({ currentTarget }) => setText(currentTarget.value)}
            />
          </label>
          <div id="payload-problems" role="status">
            {json.error !== undefined && text !== '' && (
              <p class="notice tone-bad row">
                <span>
                  Line {json.error.place.line}, column {json.error.place.column}: {json.error.message}
                </span>
                <button type="button" class="small" onClick={() => select(json.error!.offset)}>
                  Show
                </button>
              </p>
            )}
            {json.root !== undefined && payload === undefined && (
              <p class="notice tone-bad">A payload is a JSON object.</p>
            )}
            {json.root !== undefined &&
              problems.map(({ pointer, message }) => {
                const { place, offset } = placeOfPointer(text, json.root!, pointer);
                return (
                  <p class="notice tone-warning row">
                    <span>
                      Line {place.line}: <code>{<Foreign text={pointer === '' ? 'the payload' : pointer} />}</code>{' '}
                      <Foreign text={message} />. The contract does not allow it.
                    </span>
                    <button type="button" class="small" onClick={() => select(offset)}>
                      Show
                    </button>
                  </p>
                );
              })}
          </div>
          <p class="muted">Secrets, the runtime token and the address of the API are added to each attempt.</p>
        </div>
        <div class="send-side">
          {settings.data !== undefined && (
            <SendOptions
              options={options}
              settings={settings.data}
              tamper={tamper}
              tamperings={tamperings.data?.tamperings ?? []}
              onChange={setOptions}
              onTamper={setTamper}
            />
          )}
        </div>
      </div>
      <Section title="The same on the command line">
        <Command
          text={commandFor({ to: target.value?.url ?? settings.data?.target ?? '', event, edits, options, tamper })}
        />
        {edits === undefined && <p class="muted">With the payload above in the file payload.json.</p>}
      </Section>
    </form>
  );
}

interface EventFieldProps {
  readonly event: string;
  readonly events: readonly EventChoice[];
  readonly isFixed: boolean;
  readonly onChange: (event: string) => void;
}

function EventField({ event, events, isFixed, onChange }: EventFieldProps): VNode {
  const subscribed = events.filter(({ isSubscribed }) => isSubscribed);
  const others = events.filter(({ isSubscribed }) => !isSubscribed);
  const isListed = events.some((each) => each.event === event);
  const optionOf = (each: EventChoice): VNode => (
    <option value={each.event}>{each.isGuard ? `${each.event} (guard)` : each.event}</option>
  );
  return (
    <label class="field field-event">
      <span>Event</span>
      <select value={event} disabled={isFixed} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {!isListed && <option value={event}>{event}</option>}
        {subscribed.length > 0 && <optgroup label="Of the manifest">{subscribed.map(optionOf)}</optgroup>}
        {others.length > 0 && <optgroup label="All events">{others.map(optionOf)}</optgroup>}
      </select>
    </label>
  );
}

/** Returns what the contract's schema does not allow in a payload. */
function useProblems(text: string | undefined): readonly SchemaProblem[] {
  const [problems, setProblems] = useState<readonly SchemaProblem[]>([]);
  useEffect(() => {
    if (text === undefined) return setProblems([]);
    let isCurrent = true;
    const timer = setTimeout(() => {
      void attempt(api.validate(JSON.parse(text))).then((result) => {
        if (isCurrent) setProblems(result?.problems ?? []);
      });
    }, PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text]);
  return problems;
}

function textOf(payload: unknown): string {
  return JSON.stringify(payload, null, 2);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
