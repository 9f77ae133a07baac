// xrpl.js' own integration tests, unmodified, over the package as it is published: what they import from its sources is
// looked for in what the package has of them.
const { TextDecoder, TextEncoder } = require('util')

// Types are the library's business; here it runs.
const compile = (more) => [
  'ts-jest',
  {
    diagnostics: false,
    tsconfig: { isolatedModules: true, target: 'es2020', module: 'commonjs', esModuleInterop: true, ...more },
  },
]

module.exports = {
  rootDir: __dirname,
  testEnvironment: 'node',
  testTimeout: 20000,
  testMatch: ['<rootDir>/test/integration/**/*.test.ts'],
  moduleNameMapper: {
    '^(?:\\.\\./)+src$': 'xrpl',
    '^(?:\\.\\./)+src/(.*)$': 'xrpl/dist/npm/$1',
  },
  transform: {
    '^.+\\.ts$': compile({}),
    'node_modules/.+\\.js$': compile({ allowJs: true }),
  },
  // These are published as modules only, which jest does not read.
  transformIgnorePatterns: ['/node_modules/(?!(chai|@scure|@noble)/)'],
  globals: { TextDecoder, TextEncoder },
  reporters: ['default', '<rootDir>/lines.cjs'],
}
