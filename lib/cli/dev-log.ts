import type { AttemptDetail, SimulatorEvent } from '../simulator/model';
import type { Simulator } from '../simulator/simulator';
import { durationText } from '../sending/schedule';
import type { Attempt } from '../sending/send';
import type { Output } from './io';
import { printAttempt, type PrintedAttempt } from './print-attempt';

/** Writes what happens in a local Kiket: for people attempts, alerts, and whether the receiver is up; with `--json` everything. */
export class DevLog {
  readonly #output: Output;
  readonly #simulator: Simulator;

  constructor(output: Output, simulator: Simulator) {
    this.#output = output;
    this.#simulator = simulator;
  }

  /** One line of JSON for each event. */
  readonly show = (event: SimulatorEvent): void => {
    this.#output.document('dev', event);
    switch (event.type) {
      case 'attempt':
        return this.#attempt(event.data.deliveryId, event.data.attempt);
      case 'delivery': {
        const { state, nextAttempt } = event.data;
        if (state === 'retrying' && nextAttempt !== undefined) this.#retry(nextAttempt);
        return;
      }
      case 'alert':
        if (!event.data.isAcknowledged) this.#output.line(`${this.#output.style('red', 'alert')}  ${event.data.text}`);
        return;
      case 'target': {
        const { url, isUp } = event.data;
        const state = isUp === true ? this.#output.style('green', 'up') : this.#output.style('red', 'down');
        return this.#output.line(`receiver ${state}  ${url}`);
      }
      case 'note':
        return this.#output.warn(`${event.data.level}: ${event.data.text}`);
      default:
    }
  };

  #attempt(deliveryId: string, attempt: AttemptDetail): void {
    const { method, url } = attempt.request;
    const shown = { headers: attempt.request.headers, body: bytesOf(attempt.request) };
    const { headers, body } = this.#simulator.deliveries.exactRequest(deliveryId, attempt.number) ?? shown;
    printAttempt(this.#output, { request: { method, url, headers, body }, ...outcomeOf(attempt) }, []);
    for (const { level, code, text } of attempt.diagnostics) {
      // That of the response is explained above.
      if (level !== 'hint' && code !== attempt.code)
        this.#output.line(`  ${this.#output.style('yellow', level)}: ${text}`);
    }
  }

  #retry({ delayMs, platformDelayMs }: { readonly delayMs: number; readonly platformDelayMs: number }): void {
    const onPlatform = delayMs === platformDelayMs ? '' : `, on the platform in ${durationText(platformDelayMs)}`;
    this.#output.line(`  again in ${durationText(delayMs)}${onPlatform}`);
  }
}

function outcomeOf(attempt: AttemptDetail): Pick<PrintedAttempt, 'result' | 'outcome'> {
  const { response, durationMs, failure = '', problem = '', kind, code, consequence } = attempt;
  const result: Attempt =
    response === undefined
      ? { failure: { code: failure, message: problem }, durationMs }
      : {
          response: { status: response.status, headers: response.headers, body: bytesOf(response), droppedBytes: 0 },
          durationMs,
        };
  return { result, outcome: { kind, decision: undefined, code, consequence } };
}

function bytesOf({ body, isBase64 }: { readonly body: string; readonly isBase64: boolean }): Buffer {
  return Buffer.from(body, isBase64 ? 'base64' : 'utf8');
}
