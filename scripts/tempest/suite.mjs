// Runs tempest against a cloud that is up, and gathers what became of each test.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SubunitReader } from './subunit.mjs';
import { pythonPath } from './suites.mjs';

const testPath = join(pythonPath, 'tempest');

/** tempest.conf: an administrator of whom all other users are made, a cloud with nothing but networks, and what the suite wants to know. */
function configuration({ directory, identityUrl, region, password, network, aliases }, suite) {
  return `[DEFAULT]
debug = true
log_file = ${join(directory, 'tempest.log')}
[oslo_concurrency]
lock_path = ${join(directory, 'lock')}
[auth]
use_dynamic_credentials = true
create_isolated_networks = false
admin_username = admin
admin_project_name = admin
admin_domain_name = Default
admin_password = ${password}
[identity]
auth_version = v3
uri_v3 = ${identityUrl}
region = ${region}
[service_available]
neutron = true
nova = false
glance = false
cinder = false
swift = false
[network]
public_network_id = ${network?.id ?? ''}
floating_network_name = ${network?.name ?? ''}
[network-feature-enabled]
ipv6 = true
ipv6_subnet_attributes = true
port_security = ${aliases.includes('port-security')}
floating_ips = ${aliases.includes('router')}
api_extensions = ${aliases.join(',')}
${suite.configuration}`;
}

/** A worker takes whole classes, because their tests share what the class made, but for those that would take too long. */
function stestrConfiguration({ sharedClasses }) {
  const whole = String.raw`([^\.]*\.)*`;
  return `[DEFAULT]
test_path=${testPath}/test_discover
top_dir=${testPath}
group_regex=${sharedClasses === '' ? whole : String.raw`.*\.(${sharedClasses})\..*|${whole}`}
`;
}

/**
 * Runs the tests of `suite` that match `regex`. Resolves with a result for each: `{ test, status, reason, details }`,
 * where a class whose set-up failed or was skipped is one result named `setUpClass (…)`, as tempest counts.
 */
export async function runSuite({ processes, directory, cloud, suite, regex, workers, onResult }) {
  mkdirSync(directory, { recursive: true });
  const config = join(directory, 'tempest.conf');
  writeFileSync(config, configuration({ ...cloud, directory }, suite), { mode: 0o600 });
  writeFileSync(join(directory, '.stestr.conf'), stestrConfiguration(suite));
  const log = join(directory, 'output.log');
  const args = [
    'run',
    '--config-file',
    config,
    '--regex',
    testsOf(suite, regex),
    '--concurrency',
    String(workers),
    '--subunit',
  ];
  // tempest keeps a list of its workspaces in the home directory.
  const env = { HOME: directory, PYTHONDONTWRITEBYTECODE: '1' };
  const tempest = processes.start('tempest', args, { cwd: directory, log, env, stdout: 'pipe' });
  const results = gather(tempest.child.stdout, onResult);
  const exitStatus = await tempest.exited;
  return { results, exitStatus, log };
}

function testsOf({ tests }, regex) {
  return String.raw`^${tests.replaceAll('.', String.raw`\.`)}\.(?=.*(?:${regex}))`;
}

function gather(stream, onResult) {
  const results = [];
  const open = new Map();
  const reader = new SubunitReader(({ testId, status, file }) => {
    if (testId === undefined || status === 'exists') return;
    const test = testId.replace(/\[[^\]]*\bid-[^\]]*\]/, '');
    const details = open.get(testId) ?? {};
    open.set(testId, details);
    if (file !== undefined) details[file.name] = (details[file.name] ?? '') + file.content;
    if (status === '' || status === 'inprogress') return;
    open.delete(testId);
    const result = { test, status: outcome(status), reason: reasonOf(details), details };
    results.push(result);
    onResult(result);
  });
  stream.on('data', (chunk) => reader.write(chunk));
  return results;
}

function outcome(status) {
  if (status === 'skip') return 'skipped';
  return status === 'success' || status === 'xfail' ? 'passed' : 'failed';
}

/** One line: why a test was skipped, or the exception that failed it. */
function reasonOf(details) {
  const traceback = Object.entries(details).find(([name]) => name.startsWith('traceback'))?.[1];
  const lines = (details.reason ?? traceback ?? '').trim().split('\n');
  const exception = lines.findLast((line) => /^[\w.]+(Error|Exception|Conflict|BadRequest|NotFound|\w+): ?/.test(line));
  const line = details.reason === undefined ? (exception ?? lines.at(-1)) : lines.join(' ');
  return line.length > 300 ? `${line.slice(0, 300)}…` : line;
}
