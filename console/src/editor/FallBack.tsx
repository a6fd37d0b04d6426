/** Shows something plainer where a part of the page could not be loaded. */
import { Component, type ReactNode } from "react";

interface Props {
  to: ReactNode;
  children: ReactNode;
}

export class FallBack extends Component<Props, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.to : this.props.children;
  }
}
