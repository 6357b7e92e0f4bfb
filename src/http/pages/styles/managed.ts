/**
 * The sheet of managed login. Colours, radii and places are custom properties (`branding.ts`); every measure between
 * elements is a multiple of `--density`. Directions are logical, so that right-to-left languages need no rules of
 * their own but for arrows.
 */
export const managedCss = `
:root{--density:1;--graphics:inline-flex;--unit:calc(1rem*var(--density));
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Ubuntu,"Helvetica Neue",Arial,sans-serif;font-size:100%;line-height:1.5;
-webkit-font-smoothing:antialiased;-moz-osx-font-smoothing:grayscale}
body{display:flex;flex-direction:column;min-block-size:100vh;min-block-size:100dvh;color:var(--body);
background-color:var(--page);background-image:var(--page-picture,var(--page-pattern,none));background-position:center;background-size:cover;background-repeat:no-repeat;overflow-wrap:break-word}
h1{font-size:1.5rem;line-height:1.25;font-weight:650;letter-spacing:-.014em;color:var(--heading);text-wrap:balance}
h2{font-size:1.0625rem;line-height:1.35;font-weight:650;color:var(--heading)}
:lang(ar) h1,:lang(ja) h1,:lang(ko) h1,:lang(zh) h1{letter-spacing:0;font-weight:700}
:lang(ar){line-height:1.65}
a,.button-link{color:var(--link);text-decoration:underline;text-decoration-thickness:1px;text-underline-offset:.2em}
a:hover,.button-link:hover{color:var(--link-hover);text-decoration-thickness:2px}
:focus-visible{outline:2px solid var(--focus);outline-offset:2px}
.skip{background:var(--form);color:var(--link);border-radius:var(--radius-button);box-shadow:0 4px 16px rgb(0 7 22/.2)}

.stage{flex:1;display:flex;justify-content:var(--form-x);align-items:var(--form-y);padding:calc(2*var(--unit)) 1rem}
.column{inline-size:100%;max-inline-size:27rem;display:flex;flex-direction:column;gap:var(--unit)}
.card{display:flex;flex-direction:column;gap:calc(1.25*var(--unit));padding:calc(2.25*var(--unit)) 2.25rem;border:1px solid var(--form-border);
border-radius:var(--radius-form);background:var(--form) var(--form-picture,none) center/cover no-repeat;box-shadow:0 1px 2px rgb(0 7 22/.05),0 8px 28px rgb(0 7 22/.07)}
.introduction,.text{color:var(--description)}
h1+.introduction,h1+.text{margin-block-start:calc(-.75*var(--unit))}
.legal,.steps{font-size:.875rem;color:var(--description)}
.steps{font-weight:600}

.page-header,.page-footer{padding:calc(.875*var(--unit)) 1.5rem;min-block-size:calc(3.5*var(--unit));display:flex;flex-direction:column;justify-content:center}
.page-header{background:var(--header) var(--header-picture,none) center/cover no-repeat;border-block-end:1px solid var(--header-border)}
.page-footer{background:var(--footer) var(--footer-picture,none) center/cover no-repeat;border-block-start:1px solid var(--footer-border)}
.page-logo,.form-logo{display:flex}
.page-logo-center,.form-logo-center{justify-content:center}
.page-logo-end,.form-logo-end{justify-content:flex-end}
.page-logo img{max-block-size:2.5rem;max-inline-size:100%;object-fit:contain}
.form-logo img{max-block-size:5rem;max-inline-size:100%;object-fit:contain}

.form{display:flex;flex-direction:column;gap:calc(1.25*var(--unit))}
.field{display:flex;flex-direction:column;gap:.375rem}
.label,.check label,.radio label{font-size:.9375rem;font-weight:600;line-height:1.4;color:var(--label)}
.note{font-weight:400;color:var(--hint)}
.hint,.rules{font-size:.875rem;line-height:1.45;color:var(--hint)}
.rules ul{display:grid;gap:.125rem;margin-block-start:.25rem;padding-inline-start:1.125rem;list-style:disc}
.rule{display:flex;gap:.375rem;margin-inline-start:-1.125rem}
.rule .icon{inline-size:1.0625rem;block-size:1.0625rem;margin-block-start:.08rem}
.passwordCheck-valid-customizable{color:var(--success-mark)}
.passwordCheck-notValid-customizable{color:var(--error-mark)}
.input{inline-size:100%;min-block-size:2.75rem;padding:.5rem .75rem;border:1px solid var(--input-border);border-radius:var(--radius-input);
background:var(--input);color:var(--label);font-size:1rem;transition:border-color .12s}
.input:hover{border-color:var(--label)}
.input:focus{outline:2px solid var(--focus);outline-offset:-1px;border-color:var(--focus)}
.input[readonly]{background:color-mix(in srgb,var(--input) 92%,var(--label))}
.input-code{font-size:1.375rem;letter-spacing:.3em;text-align:center;padding-inline:.75rem .45rem;min-block-size:3.25rem}
.field-invalid .input{border-color:var(--error-border);border-inline-start-width:4px}
.field-error{display:flex;gap:.375rem;padding:.3125rem .625rem;border-radius:var(--radius-input);background:var(--error);font-size:.875rem;line-height:1.45;font-weight:500;color:var(--error-mark)}
.field-error .icon{inline-size:1.125rem;block-size:1.125rem;margin-block-start:.08rem}

.buttons{display:flex;flex-direction:column;gap:calc(.75*var(--unit))}
.button:not([hidden])+.buttons{margin-block-start:calc(-.5*var(--unit))}
.button{display:flex;align-items:center;justify-content:center;inline-size:100%;min-block-size:2.75rem;padding:.5rem 1.25rem;border:2px solid transparent;
border-radius:var(--radius-button);font-weight:650;line-height:1.3;text-align:center;text-decoration:none;transition:background-color .12s,color .12s,border-color .12s}
.button-primary{background:var(--primary);color:var(--primary-text)}
.button-primary:hover{background:var(--primary-hover);color:var(--primary-hover-text)}
.button-primary:active{background:var(--primary-active);color:var(--primary-active-text)}
.button-secondary{background:var(--secondary);border-color:var(--secondary-border);color:var(--secondary-text)}
.button-secondary:hover{background:var(--secondary-hover);border-color:var(--secondary-hover-border);color:var(--secondary-hover-text)}
.button-secondary:active{background:var(--secondary-active);border-color:var(--secondary-active-border);color:var(--secondary-active-text)}
.button-link{align-self:flex-start;padding:.25rem 0;border:0;background:none;font-weight:400;text-align:start}
.row{font-size:.9375rem}

.separator{display:flex;align-items:center;gap:.875rem;font-size:.875rem;color:var(--description)}
.separator::before,.separator::after{content:"";flex:1;border-block-start:1px solid var(--divider)}

.alert{display:flex;gap:.625rem;padding:calc(.75*var(--unit)) .875rem;border:1px solid;border-radius:var(--radius-alert);font-size:.9375rem;line-height:1.45;color:var(--heading)}
.alert .icon{margin-block-start:.06rem}
.alert-heading{font-weight:650}
.alert-error{background:var(--alert-error);border-color:var(--alert-error-border)}
.alert-error .icon{color:var(--error-mark)}
.alert-warning{background:var(--warning);border-color:var(--warning-border)}
.alert-warning .icon{color:var(--warning-mark)}
.alert-success{background:var(--success);border-color:var(--success-border)}
.alert-success .icon{color:var(--success-mark)}
.alert-info{background:color-mix(in srgb,var(--form) 92%,var(--link));border-color:var(--link)}
.alert-info .icon{color:var(--link)}

.choices,.providers{display:flex;flex-direction:column;gap:calc(.625*var(--unit))}
.choice{display:flex;align-items:center;gap:.875rem;inline-size:100%;min-block-size:3.5rem;padding:calc(.625*var(--unit)) .875rem;border:1px solid var(--option-border);
border-radius:var(--radius-button);background:var(--option);text-align:start;transition:background-color .12s,border-color .12s}
.choice:hover{background:var(--secondary-hover);border-color:var(--secondary-hover-border)}
.choice:active{background:var(--secondary-active)}
.choice-text{flex:1;display:flex;flex-direction:column;gap:.0625rem;min-inline-size:0}
.choice-label{font-weight:600;line-height:1.35;color:var(--label)}
.choice>.icon{color:var(--hint)}
[dir=rtl] .choice>.icon{transform:scaleX(-1)}
.graphic{display:var(--graphics);align-items:center;justify-content:center;flex:none;inline-size:2.5rem;block-size:2.5rem;border-radius:50%;
color:var(--link);background:color-mix(in srgb,var(--link) 10%,transparent)}

.radios{display:flex;flex-direction:column;gap:calc(.625*var(--unit))}
.radios .label{margin-block-end:.25rem}
.check,.radio{display:flex;gap:.75rem;align-items:flex-start}
.radio{align-items:center;position:relative;padding:calc(.625*var(--unit)) .875rem;border:1px solid var(--option-border);border-radius:var(--radius-input)}
.radio label::after{content:"";position:absolute;inset:0;border-radius:inherit}
.radio:has(:checked){border-color:var(--option-selected);box-shadow:inset 0 0 0 1px var(--option-selected)}
.check input,.radio input{appearance:none;flex:none;inline-size:1.25rem;block-size:1.25rem;margin:0;border:1px solid var(--option-border);background:var(--option);display:grid;place-content:center}
.check input{border-radius:.25rem;margin-block-start:.05rem}
.radio input{border-radius:50%}
.check input:checked,.radio input:checked{background:var(--option-selected);border-color:var(--option-selected)}
.check input:checked::before{content:"";inline-size:.375rem;block-size:.6875rem;margin-block-start:-.125rem;border:solid var(--option-selected-mark);border-width:0 2px 2px 0;rotate:45deg}
.radio input:checked::before{content:"";inline-size:.5rem;block-size:.5rem;border-radius:50%;background:var(--option-selected-mark)}

.provider{display:flex;align-items:center;justify-content:center;gap:.75rem;min-block-size:2.75rem;padding:.5rem 1rem;border:1px solid var(--provider-border);
border-radius:var(--radius-button);background:var(--provider);color:var(--provider-text);font-weight:600;line-height:1.3;text-decoration:none;transition:background-color .12s,color .12s,border-color .12s}
.provider:hover{background:var(--provider-hover);border-color:var(--provider-hover-border);color:var(--provider-hover-text)}
.provider:active{background:var(--provider-active);border-color:var(--provider-active-border);color:var(--provider-active-text)}

.qr{display:flex;flex-direction:column;align-items:center;text-align:center;gap:calc(.75*var(--unit))}
.secret{inline-size:100%;text-align:center}
.secret summary,.languages summary{cursor:pointer;color:var(--link);font-size:.9375rem;text-decoration:underline;text-decoration-thickness:1px;text-underline-offset:.2em;border-radius:.25rem}
.secret code{margin-block-start:.375rem;padding:.5rem .75rem;border-radius:var(--radius-input);background:color-mix(in srgb,var(--form) 93%,var(--label));color:var(--label);font:1rem/1.6 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
.instructions{display:grid;gap:.375rem;padding-inline-start:1.25rem;list-style:decimal;color:var(--body)}
.pending{display:flex;align-items:center;gap:.625rem;color:var(--description)}
.pending::before{content:"";inline-size:1.25rem;block-size:1.25rem;border:2px solid var(--pending-mark);border-block-start-color:var(--link);border-radius:50%;animation:turn .8s linear infinite}
@keyframes turn{to{rotate:1turn}}

.foot{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:.5rem 1.5rem;padding-inline:.25rem}
.foot .legal{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}
.languages{position:relative}
.languages summary{display:flex;align-items:center;gap:.5rem;list-style:none;padding:.25rem .125rem;text-decoration:none}
.languages summary:hover{text-decoration:underline}
.languages summary::-webkit-details-marker{display:none}
.languages ul{position:absolute;inset-block-end:calc(100% + .375rem);inset-inline-start:0;z-index:1;inline-size:max-content;max-inline-size:calc(100vw - 2rem);max-block-size:18rem;overflow:auto;padding:.375rem;
border:1px solid var(--form-border);border-radius:var(--radius-menu);background:var(--menu);box-shadow:0 8px 28px rgb(0 7 22/.18)}
.languages a{display:block;padding:.4375rem .75rem;border:1px solid transparent;border-radius:max(0px,calc(var(--radius-menu) - .25rem));color:var(--body);text-decoration:none}
.languages a:hover{background:var(--menu-hover);border-color:var(--menu-hover-border);color:var(--menu-hover-text)}
.languages a[aria-current]{color:var(--menu-match-text);font-weight:650}

@media (max-width:30rem){
.stage{padding:calc(1*var(--unit)) .75rem}
.card{padding:calc(1.5*var(--unit)) 1.25rem}
h1{font-size:1.375rem}
}
@media (max-width:22rem){.card{padding-inline:1rem}.graphic{inline-size:2.25rem;block-size:2.25rem}}
@media (prefers-contrast:more){
.input,.choice,.radio,.provider,.check input,.radio input{border-color:currentColor}
.hint,.rules,.legal,.introduction,.text,.note{color:var(--heading)}
.input:focus,:focus-visible{outline-width:3px}
}
@media (forced-colors:active){
.button{border-color:ButtonBorder}
.check input,.radio input{appearance:auto}
.radio:has(:checked){border-color:Highlight}
.graphic{background:none}
}
`
