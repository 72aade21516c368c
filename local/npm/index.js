/** The path of the program for this platform, which is a package of its own. */
module.exports = function program() {
  const name = `login-with-otp-local-${process.platform}-${process.arch}`;
  try {
    return require.resolve(`${name}/local${process.platform === "win32" ? ".exe" : ""}`);
  } catch (cause) {
    const why = `There is no package ${name}. Either this platform has none, or npm left out optional dependencies.`;
    throw new Error(why, { cause });
  }
};
