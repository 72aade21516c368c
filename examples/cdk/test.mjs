// `cdk synth` makes two stacks of a release and changes nothing in its template; `tsc` knows the
// parameters and their types.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';

const run = (...words) => execFileSync('npx', ['--no-install', ...words], { encoding: 'utf8', stdio: 'pipe' });
const app = readFileSync('app.ts', 'utf8');

/** A template without what CDK adds, with these parameters filled in. */
const plain = ({ Resources, Globals, Outputs, Rules, Conditions }, parameters = {}) => {
  const fill = (_, value) => {
    if (typeof value === 'string') return value.replace(/\$\{(\w+)\}/g, (all, name) => parameters[name] ?? all);
    return value && Object.hasOwn(parameters, value.Ref) ? parameters[value.Ref] : value;
  };
  const filled = JSON.parse(JSON.stringify({ Resources, Globals, Outputs, Rules, Conditions }), fill);
  delete filled.Resources.CDKMetadata;
  delete filled.Conditions.CDKMetadataAvailable;
  delete filled.Rules.CheckBootstrapVersion;
  for (const nested of [filled.Resources.Alarms, filled.Resources.EventPipe]) {
    delete nested.Metadata;
    delete nested.Properties.TemplateURL;
  }
  for (const resource of Object.values(filled.Resources)) {
    if (resource.DependsOn) resource.DependsOn = [resource.DependsOn].flat();
    if (resource.Type === 'AWS::Serverless::Function') delete resource.Properties.CodeUri;
  }
  return filled;
};

test('staging and production are the template of the release, with its zips', () => {
  run('tsc');
  run('cdk', 'synth', '--quiet');
  const release = JSON.parse(readFileSync('release/template.json', 'utf8'));
  for (const [name, host] of [['login-staging', 'staging.example.com'], ['login-production', 'example.com']]) {
    const made = JSON.parse(readFileSync(`cdk.out/${name}.template.json`, 'utf8'));
    const origin = `https://${host}`;
    const parameters = { Brand: 'Example', TokenAudience: origin, EmailFrom: `login@${host}`, AllowedOrigins: origin };
    assert.equal(made.Transform, release.Transform);
    assert.deepEqual(plain(made), plain(release, parameters));
    for (const program of ['Login', 'Validate']) {
      const { Key } = made.Resources[program].Properties.CodeUri;
      assert.ok(existsSync(`cdk.out/asset.${Key}`), Key);
    }
    assert.match(JSON.stringify(made.Resources.Alarms.Properties.TemplateURL), /cdk-[a-z0-9]+-assets/);
  }
});

test('tsc names a parameter that is missing, unknown or of another type', () => {
  const brand = "Brand: 'Example',";
  for (const [wrong, complaint] of [
    ['', /Property 'Brand' is missing/],
    [`${brand} Brnad: 'Example',`, /'Brnad' does not exist/],
    [`${brand} OtpLength: '6',`, /'string' is not assignable to type 'number'/],
    [`${brand} UnknownUsers: 'hide',`, /"hide"' is not assignable/],
  ]) {
    writeFileSync('app.ts', app.replace(brand, wrong));
    assert.throws(() => run('tsc', '--noEmit'), ({ stdout }) => complaint.test(stdout) || assert.fail(stdout));
  }
  writeFileSync('app.ts', app);
});
