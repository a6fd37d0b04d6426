/** What a person sees of a provider at sign-in: a picture of the button, which does nothing. */
import classes from "./sso.module.css";

export function SeenAtSignIn({ label }: { label: string }) {
  return (
    <figure className={classes.seen}>
      <figcaption>What people see at sign-in</figcaption>
      <div>
        <span className={classes.or}>or</span>
        <span className={classes.button}>Continue with {label}</span>
      </div>
    </figure>
  );
}
