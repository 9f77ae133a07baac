// A reporter for jest: a line for each test, `pass`, `fail` or `skip`, its file and its name, to the file LINES.
const { writeFileSync } = require('node:fs')
const path = require('node:path')

const STATES = { passed: 'pass', failed: 'fail' }

module.exports = class Lines {
  onRunComplete(_, { testResults }) {
    const lines = testResults.flatMap((file) => {
      const name = path.relative(path.join(__dirname, 'test/integration'), file.testFilePath)
      // A file that does not load has no tests to tell of.
      if (file.testResults.length === 0) return [`fail ${name}`]
      return file.testResults.map((test) => `${STATES[test.status] ?? 'skip'} ${name} ${test.fullName}`)
    })
    writeFileSync(process.env.LINES, `${lines.join('\n')}\n`)
  }
}
