/** Mantine dressed in Podium's tokens; main.tsx and the tests hand it to the provider. */
import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  localStorageColorSchemeManager,
  type MantineColorsTuple,
} from "@mantine/core";

const accent: MantineColorsTuple = [
  "#e2f1f4",
  "#c4e4ea",
  "#9fd5df",
  "#77c9d8",
  "#4fc3d9",
  "#2aa3ba",
  "#14879c",
  "#0b6e80",
  "#095b6a",
  "#064552",
];

/** Mantine's dark scale in the neutral tones of tokens.css. */
const dark: MantineColorsTuple = [
  "#e9ebee",
  "#b6bdc6",
  "#929ba6",
  "#6c7681",
  "#3a4149",
  "#2a2f36",
  "#15181c",
  "#15181c",
  "#0f1114",
  "#0b0d0f",
];

/** What stands above the page: menus and small windows. */
const floating = {
  background: "var(--surface)",
  borderColor: "var(--line)",
  borderRadius: 8,
  boxShadow: "var(--shadow)",
};

/** What opens above the page. Mantine leaves its close button without a name. */
const above = {
  overlayProps: { backgroundOpacity: 0.32 },
  closeButtonProps: { "aria-label": "Close" },
};

export const theme = createTheme({
  colors: { accent, dark },
  primaryColor: "accent",
  primaryShade: { light: 7, dark: 4 },
  // Mantine's own choice puts white on the dark scheme's light accent.
  variantColorResolver: (input) =>
    input.variant === "filled" && input.color === "accent"
      ? {
          background: "var(--accent)",
          hover: "var(--accent-hover)",
          color: "var(--surface)",
          border: "1px solid transparent",
        }
      : defaultVariantColorsResolver(input),
  cursorType: "pointer",
  defaultRadius: 6,
  fontFamily:
    'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Helvetica, Arial, sans-serif',
  fontFamilyMonospace: "var(--mono)",
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  lineHeights: { xs: "16px", sm: "20px", md: "20px", lg: "24px", xl: "28px" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px" },
  fontWeights: { regular: "400", medium: "500", bold: "600" },
  headings: { fontWeight: "600" },
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "xs", fz: 13, fw: 500 } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: {
      defaultProps: {
        size: "sm",
        visibilityToggleFocusable: true,
        visibilityToggleButtonProps: {
          "aria-label": "Show or hide the password",
          c: "var(--ink-3)",
        },
      },
    },
    InputWrapper: {
      styles: {
        label: { marginBottom: 4 },
        description: { fontSize: 12, marginBottom: 4 },
        error: { fontSize: 12 },
      },
    },
    Tooltip: { defaultProps: { openDelay: 300, fz: 12 } },
    Menu: {
      // It would stand in the menu as a child that no menu may have.
      defaultProps: { shadow: "none", withInitialFocusPlaceholder: false },
      styles: { dropdown: floating },
    },
    Popover: { defaultProps: { shadow: "none" }, styles: { dropdown: floating } },
    Modal: { defaultProps: above },
    Drawer: { defaultProps: above },
  },
});

const tokens = {
  "--mantine-color-body": "var(--surface)",
  "--mantine-color-text": "var(--ink)",
  "--mantine-color-dimmed": "var(--ink-3)",
  "--mantine-color-placeholder": "var(--ink-3)",
  "--mantine-color-default": "var(--surface)",
  "--mantine-color-default-hover": "var(--hover)",
  "--mantine-color-default-color": "var(--ink)",
  "--mantine-color-default-border": "var(--line)",
  "--mantine-color-error": "var(--state-failed)",
  "--mantine-color-anchor": "var(--accent)",
};

export const resolver: CSSVariablesResolver = () => ({
  variables: {},
  light: tokens,
  dark: tokens,
});

export const schemes = localStorageColorSchemeManager({ key: "podium-colour-scheme" });
