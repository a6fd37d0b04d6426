/** Who I am here, how the console looks to me, my password, my sign-ins and tokens. */
import { PageHeader } from "../frame/PageHeader";
import { Appearance } from "./Appearance";
import classes from "./account.module.css";
import { Password } from "./Password";
import { Roles } from "./Roles";
import { Sessions } from "./Sessions";
import { Tokens } from "./Tokens";

export default function AccountPage() {
  return (
    <div className={classes.page}>
      <PageHeader title="Account" />
      <div className={classes.sections}>
        <Roles />
        <Appearance />
        <Password />
        <Sessions />
        <Tokens />
      </div>
    </div>
  );
}
