import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { checked, functionOption, hidden, integer, list, optional, readOptions, string } from '../../options';
import type { Option, OptionTable } from '../../options';
import type { LocalKiket } from '../local-kiket';
import { createControlApp } from './app';
import { CheckRuns, type CheckSettings } from './check-runs';
import { Guard } from './guard';
import { ControlListener } from './listener';
import type { ControlContext } from './route';
import { EventStreams } from './stream';

/** The options of {@link startControlServer}. */
export interface ControlServerOptions {
  /** 0 is any that is free. Default 0. */
  port?: number | undefined;
  /** An address of this machine. Default 127.0.0.1, and ::1 where there is one. */
  host?: string | undefined;
  /** Further names under which the page is opened, with or without a port, such as those of a container. Default none. */
  allowedHosts?: readonly string[] | undefined;
  /** The page and scripts have to present it. At least 16 characters. Default 128 random bits. */
  token?: string | undefined;
  /** The folder with the files of the page. Default that of the package. */
  assetsDirectory?: string | undefined;
  /** The folder in which deliveries are saved. Default `.kiket/deliveries`. */
  deliveriesDirectory?: string | undefined;
  /** Returns the options of a check, the delivery secrets among them. It is called for each run. */
  checkSettings: () => CheckSettings;
  /** Returns the secrets with which signatures are verified. It is called for each. */
  verifySecrets: ControlContext['verifySecrets'];
}

/** A running control server. */
export interface ControlServer {
  /** The origin, such as `http://127.0.0.1:4538`. */
  readonly url: string;
  /** The address of the page, which has the token. */
  readonly pageUrl: string;
  /** Returns an address of the page that works once, for a program that other users may see. */
  readonly pageUrlOnce: () => string;
  readonly token: string;
  /** The names under which it is reached, each with the port. */
  readonly hosts: readonly string[];
  /** Ends checks, streams and connections. */
  close(): Promise<void>;
}

/** 128 bits. */
const TOKEN_BYTES = 16;

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** Addresses that stand for all of a machine. No browser opens them. */
const ALL_ADDRESSES = ['0.0.0.0', '::'];

const tokenOption: Option<string, string | undefined> = optional(
  hidden<string>('at least 16 letters, digits, hyphens and underscores', (value) =>
    typeof value === 'string' ? /^[\w-]{16,}$/.test(value) : false,
  ),
);

const hostOption = checked<string>('a host name, perhaps with a port', (value) =>
  typeof value === 'string' ? /^(?:[\w.-]+|\[[\da-f:]+\])(?::\d{1,5})?$/i.test(value) : false,
);

const OPTIONS = {
  port: integer({ default: 0, min: 0, max: 65_535 }),
  host: optional(string()),
  allowedHosts: list(hostOption, { default: [] }),
  token: tokenOption,
  assetsDirectory: string(join(__dirname, '../assets')),
  deliveriesDirectory: string('.kiket/deliveries'),
  checkSettings: functionOption as Option<() => CheckSettings, () => CheckSettings>,
  verifySecrets: functionOption as Option<ControlContext['verifySecrets'], ControlContext['verifySecrets']>,
} satisfies OptionTable<ControlServerOptions>;

/**
 * Starts the server of the page and of the control API, apart from that of the fake API, so that the extension cannot drive it.
 *
 * Rejects with a `TypeError` when an option is invalid or unknown, and with the server's error when the port is taken.
 */
export async function startControlServer(
  kiket: LocalKiket,
  options: Readonly<ControlServerOptions>,
): Promise<ControlServer> {
  const settings = readOptions('startControlServer', options, OPTIONS);
  const { host, token = randomBytes(TOKEN_BYTES).toString('base64url') } = settings;
  const named = host === undefined || ALL_ADDRESSES.includes(host) ? [] : [inUrl(host)];
  const names = [...new Set([...named, ...LOOPBACK, ...settings.allowedHosts])];

  const checks = new CheckRuns(kiket, settings.checkSettings);
  const streams = new EventStreams(kiket, checks);
  const { verifySecrets, deliveriesDirectory, assetsDirectory } = settings;
  const context = { kiket, checks, verifySecrets, deliveriesDirectory };
  // Loaded here, because the other parts of the simulator need no Express.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const express = require('express') as typeof import('express');

  let guard: Guard | undefined;
  const listener = new ControlListener();
  const port = await listener.listen(settings.port, host, (actual) => {
    guard = new Guard(names, actual, token);
    return createControlApp(express, { guard, token, context, streams, assetsDirectory });
  });
  const url = `http://${names[0]}:${port}`;
  return {
    url,
    pageUrl: `${url}/?token=${token}`,
    pageUrlOnce: () => `${url}/?token=${guard!.issueTicket()}`,
    token,
    hosts: names.map((name) => (/:\d+$/.test(name) ? name : `${name}:${port}`)),
    async close() {
      streams.close();
      await checks.close();
      await listener.close();
    },
  };
}

/** In a URL, an IPv6 address has brackets. */
function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
