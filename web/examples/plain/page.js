import "../../sign-in.js";

const signIn = document.querySelector("otp-sign-in");
const answer = document.getElementById("answer");

document.getElementById("call").onclick = async () => {
  const me = await signIn.client.fetch("/api/me/"); // or any API that takes the token
  answer.textContent = (await me.json()).user_id;
};
signIn.addEventListener("logout", () => {
  answer.textContent = "";
});
