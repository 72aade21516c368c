import { useState } from "react";
import { createRoot } from "react-dom/client";
import "login-with-otp/react";

function App() {
  const [user, setUser] = useState();
  const login = (event) => setUser(event.detail.userId);
  return (
    <otp-sign-in api="http://127.0.0.1:3000" channels="email" storage="local" onlogin={login}>
      <p>Hello, {user}</p>
    </otp-sign-in>
  );
}

createRoot(document.getElementById("root")).render(<App />);
