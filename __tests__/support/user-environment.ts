/** The environment of a user's process: without what Jest sets. */
export const userEnvironment: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: undefined, NODE_ENV: undefined };
