/** What both looks share: how elements behave, not what they look like. */
export const sharedCss = `
*,*::before,*::after{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body,h1,h2,p,ul,ol,fieldset,legend,figure{margin:0;padding:0;border:0}
ul,ol{list-style:none}
button,input{font:inherit;color:inherit;letter-spacing:inherit}
button{cursor:pointer}
img,svg{display:block}
[hidden]{display:none!important}
.icon{inline-size:1.25rem;block-size:1.25rem;flex:none}
.hidden{position:absolute;inline-size:1px;block-size:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;inset-inline-start:1rem;inset-block-start:-6rem;z-index:2;padding:.75rem 1rem}
.skip:focus{inset-block-start:1rem}
#main:focus{outline:0}
.qr-code{inline-size:min(100%,13rem);block-size:auto;border-radius:.5rem}
.secret code{display:inline-block;unicode-bidi:isolate;overflow-wrap:anywhere}
.input-code{font-variant-numeric:tabular-nums}
@media (prefers-reduced-motion:reduce){*,*::before,*::after{transition:none!important;animation:none!important}}
@media print{.skip,.foot{display:none}}
`
