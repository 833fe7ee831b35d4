import type { CommandModule } from './command';

/** A command, which is loaded when it is called. */
export interface CommandEntry {
  readonly name: string;
  /** In one line. */
  readonly summary: string;
  /** Loads the module of the command. */
  readonly load: () => CommandModule;
}

/* eslint-disable @typescript-eslint/no-require-imports -- A command loads only its own modules. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'send',
    summary: 'send a signed delivery, and say what Kiket makes of the response',
    load: () => require('./commands/send') as CommandModule,
  },
  {
    name: 'check',
    summary: 'check whether a receiver keeps the delivery contract',
    load: () => require('./commands/check') as CommandModule,
  },
  {
    name: 'dev',
    summary: 'run a local Kiket, with a page to watch and drive it',
    load: () => require('./commands/dev') as CommandModule,
  },
  {
    name: 'events',
    summary: 'list the events that Kiket sends, with their fields',
    load: () => require('./commands/events') as CommandModule,
  },
  {
    name: 'record',
    summary: 'pass requests on to a receiver, and keep them in a file',
    load: () => require('./commands/record') as CommandModule,
  },
  {
    name: 'replay',
    summary: 'send recorded deliveries again',
    load: () => require('./commands/replay') as CommandModule,
  },
  {
    name: 'settings',
    summary: 'show the settings, and where each comes from',
    load: () => require('./commands/settings') as CommandModule,
  },
  {
    name: 'simulate',
    summary: 'carry out scenarios with a local Kiket, and compare what comes of them',
    load: () => require('./commands/simulate') as CommandModule,
  },
  {
    name: 'verify',
    summary: 'explain why the signature of a captured request does not match',
    load: () => require('./commands/verify') as CommandModule,
  },
];
