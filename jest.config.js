const { availableParallelism } = require('node:os');

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  // Many tests wait for servers and processes: with one worker a core, cores would stand still meanwhile.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  roots: ['<rootDir>/__tests__'],
  testMatch: ['**/*.test.ts'],
  // Most tests take milliseconds. The limit is for a machine that has much else to do.
  testTimeout: 60_000,
  setupFilesAfterEnv: ['<rootDir>/__tests__/support/release-channels.ts'],
  transform: {
    '^.+\\.ts$': ['ts-jest', { tsconfig: 'tsconfig.json' }],
    // jose has ES modules only, which Jest does not load. The packed package is tested with jose as it is.
    '/node_modules/jose/.+\\.js$': '<rootDir>/__tests__/support/to-commonjs.js',
    '/node_modules/@electric-sql/.+\\.cjs$': '<rootDir>/__tests__/support/import-as-require.js',
  },
  transformIgnorePatterns: ['/node_modules/(?!jose/|@electric-sql/)'],
  moduleNameMapper: {
    '^kiket-express$': '<rootDir>/lib/index.ts',
    '^kiket-express/(api|bullmq|manifest|pg-boss|postgres|sdk|shutdown|simulator|telemetry|testing|errors)$':
      '<rootDir>/lib/$1',
    '^kiket-express/redis$': '<rootDir>/lib/idempotency/redis-store.ts',
    '^kiket-express/signature$': '<rootDir>/lib/signature/verify-signature.ts',
    '^kiket-express/(.*)$': '<rootDir>/lib/middleware/$1',
  },
  collectCoverageFrom: [
    'lib/**/*.ts',
    // Made by Ajv from schema.json; the tests of kiketParse run it, but its branches are Ajv's.
    '!lib/delivery/validate-contract.ts',
    // Runs in browsers: __tests__/system/page.
    '!lib/simulator/page/**',
    // Only re-exports.
    '!lib/index.ts',
  ],
  coverageReporters: ['text-summary', 'html'],
  coverageThreshold: { global: { lines: 95, branches: 95 } },
};
