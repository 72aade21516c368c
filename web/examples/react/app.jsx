// A form of your own in React, on the client alone. Build it with any bundler that knows JSX:
// npx esbuild app.jsx --bundle --format=esm --jsx=automatic --outfile=app.js
import { useEffect, useState, useSyncExternalStore } from "react";
import { createRoot } from "react-dom/client";
import { Client } from "../../client.js";

const auth = new Client({ api: "http://127.0.0.1:3000", storage: "local" });

function useUser() {
  const subscribe = (changed) => {
    const off = [auth.on("login", changed), auth.on("logout", changed)];
    return () => off.forEach((end) => end());
  };
  return useSyncExternalStore(subscribe, () => auth.session?.userId);
}

function SignIn() {
  const [challenge, setChallenge] = useState();
  const [problem, setProblem] = useState("");
  const attempt = (action) => async (form) => {
    setProblem("");
    await action(form).catch((error) => setProblem(error.detail));
  };
  const request = attempt(async (form) => setChallenge(await auth.requestCode({ email: form.get("email") })));
  const validate = attempt((form) => auth.validate(challenge, form.get("code")));
  return (
    <>
      <p role="alert">{problem}</p>
      {challenge ? (
        <form key="code" action={validate}>
          <label>
            Code <input name="code" inputMode="numeric" autoComplete="one-time-code" required />
          </label>
          <button>Continue</button>
        </form>
      ) : (
        <form key="email" action={request}>
          <label>
            E-mail address <input name="email" type="email" autoComplete="email" required />
          </label>
          <button>Send code</button>
        </form>
      )}
    </>
  );
}

function Profile() {
  const [me, setMe] = useState();
  useEffect(() => {
    auth.fetch("/api/me/").then(async (answer) => setMe(await answer.json()));
  }, []);
  return (
    <>
      <p>{me?.destinations[0].email}</p>
      <button onClick={() => auth.logout()}>Sign out</button>
    </>
  );
}

const App = () => (useUser() ? <Profile /> : <SignIn />);

createRoot(document.getElementById("root")).render(<App />);
