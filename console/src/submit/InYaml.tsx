/** Stands for a field that says more than the form can show; it is safe in the YAML. */
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { faultOf, fieldId, useForm } from "./form";
import classes from "./submit.module.css";

export function InYaml({ field, label }: { field: string; label: ReactNode }) {
  const form = useForm();
  const fault = faultOf(form, field, { deep: true });
  return (
    <div className={classes.inYaml}>
      <span className={classes.label}>{label}</span>
      <span className={classes.hint}>Written in the YAML in a way that has no field here.</span>
      <Button id={fieldId(field)} variant="default" onClick={() => form.showInYaml(field)}>
        Show in the YAML
      </Button>
      {fault && <p className={classes.fault}>{fault}</p>}
    </div>
  );
}
