import timers from 'node:timers';

// Kept as they are when this package is loaded: fake timers replace them, and a delivery would wait for ever.

export const nextTick = process.nextTick.bind(process);

export const { setImmediate: nextTurn } = timers;
