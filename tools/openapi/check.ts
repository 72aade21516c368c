// What a client's code may rely on. It compiles only if both generators say so.
import { login, validate, type LoginErrors } from "./hey-api";
import type { components, paths } from "./openapi-typescript";

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false;
const same = <_ extends true>(): void => undefined;

type Limit = "cooldown" | "destination" | "client" | "deployment";
type Sent = paths["/api/login-with-otp/"]["post"]["responses"][200]["content"]["application/json"];
type Refused = components["responses"]["TooManyRequests"]["content"]["application/problem+json"];
type Down = components["responses"]["Unavailable"]["content"]["application/problem+json"];

same<Same<Sent["max_attempts"], number>>();
same<Same<Sent["delivery"], "confirmed" | "unconfirmed">>();
same<Same<Refused["type"], "/problems/too-many-requests">>();
same<Same<Refused["retry_after"] | Down["retry_after"], number>>();
same<Same<Refused["limit"], Limit>>();

// A problem is recognised by its type.
function wait(problem: LoginErrors[keyof LoginErrors]): number {
  switch (problem.type) {
    case "/problems/too-many-requests":
      same<Same<typeof problem.limit, Limit>>();
      return problem.retry_after;
    case "/problems/unavailable":
      return problem.retry_after;
    default:
      return 0;
  }
}

export async function logIn(email: string, otp: string): Promise<string | number> {
  const sent = await login({ body: { email } });
  if (sent.error) return wait(sent.error);
  const { challenge_id } = sent.data;
  const done = await validate({ body: { email, otp, challenge_id } });
  return done.data?.token ?? 0;
}
