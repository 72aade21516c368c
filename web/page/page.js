import "../sign-in.js";

const signIn = document.querySelector("otp-sign-in");
const find = (id) => document.getElementById(id);

signIn.lang = new URLSearchParams(location.search).get("lang") ?? navigator.language;

async function call() {
  try {
    const answer = await signIn.client.fetch("/api/me/");
    find("answer").textContent = `${answer.status} ${JSON.stringify(await answer.json(), null, 2)}`;
  } catch {
    find("answer").textContent = "No answer.";
  }
}

signIn.addEventListener("login", ({ detail }) => {
  find("user").textContent = detail.userId;
  call();
});
find("again").addEventListener("click", call);
