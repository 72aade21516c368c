import { join } from 'node:path';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import type { CfnFunction } from 'aws-cdk-lib/aws-sam';
import { Construct } from 'constructs';
import type { Parameters } from './release/parameters.ts';

export interface LoginProps {
  /** The folder with a release's files. */
  release: string;
  architecture: 'arm64' | 'x86_64';
  parameters: Parameters;
}

/** The login service of a release. It needs a stack of its own. */
export class Login extends Construct {
  /** The base URL for clients. */
  readonly apiUrl: string;
  /** The iss claim of the tokens. */
  readonly issuer: string;
  readonly tableName: string;

  constructor(scope: Construct, id: string, { release, architecture, parameters }: LoginProps) {
    super(scope, id);
    const template = new CfnInclude(this, 'Template', {
      templateFile: join(release, `template-${architecture}.yaml`),
      loadNestedStacks: {
        Alarms: { templateFile: join(release, 'alarms.yaml') },
        EventPipe: { templateFile: join(release, 'pipe.yaml') },
      },
      parameters,
    });
    for (const [name, program] of [['Login', 'login-with-otp'], ['Validate', 'validate-otp']]) {
      const zip = new Asset(this, `${name}Zip`, { path: join(release, `${program}-${architecture}.zip`) });
      (template.getResource(name) as CfnFunction).codeUri = { bucket: zip.s3BucketName, key: zip.s3ObjectKey };
    }
    const output = (name: string) => template.getOutput(name).value as string;
    this.apiUrl = output('ApiUrl');
    this.issuer = output('Issuer');
    this.tableName = output('TableName');
  }
}
