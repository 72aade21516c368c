import { App, Stack } from 'aws-cdk-lib';
import { Login } from './login.ts';

const app = new App();
for (const [stage, host] of [['staging', 'staging.example.com'], ['production', 'example.com']]) {
  const stack = new Stack(app, `login-${stage}`);
  new Login(stack, 'Login', {
    release: 'release',
    architecture: 'arm64',
    parameters: {
      Brand: 'Example',
      TokenAudience: `https://${host}`,
      EmailFrom: `login@${host}`,
      AllowedOrigins: `https://${host}`,
    },
  });
}
