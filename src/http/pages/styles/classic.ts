/**
 * The sheet of the classic pages: the values that the published template starts from. The published classes are styled
 * by rules of one class each, so that the customization, which comes later, has the last word. Where the template's
 * colours are too faint to read, they are darker here.
 */
export const classicCss = `
:root{color-scheme:light;font-family:"Helvetica Neue",Helvetica,Arial,"Noto Sans",system-ui,sans-serif;font-size:87.5%;line-height:1.45;color:#333}
body{min-block-size:100vh;color:#333;overflow-wrap:break-word}
h1{font-size:1.2857rem;line-height:1.3;font-weight:500;color:#333}
h2{font-size:1.1429rem;line-height:1.3;font-weight:500;color:#333}
a,.button-link{color:#23629a;text-decoration:underline;text-underline-offset:.15em}
a:hover,.button-link:hover{color:#1a4a74}
:focus-visible{outline:2px solid #2f74b5;outline-offset:2px}
.skip{background:#fff;color:#23629a;border:1px solid #23629a}
.background-customizable{background-color:#fff}
.banner-customizable{padding:25px 0 25px 0;background-color:lightgray}
.logo-customizable{max-width:60%;max-height:30%}
.page-header{min-block-size:50px;text-align:center}
.page-header .page-logo{display:block}
.page-header img{display:inline-block}
.page-header .logo-customizable{vertical-align:middle}
.stage{display:flex;justify-content:center;padding:24px 16px 48px}
.column{inline-size:100%;max-inline-size:360px}
.card{display:flex;flex-direction:column;gap:14px}
.form{display:flex;flex-direction:column;gap:12px}
.field{display:flex;flex-direction:column;gap:4px}
.label-customizable{font-weight:400}
.check label,.radio label,.choice-label{font-weight:700}
.textDescription-customizable,.idpDescription-customizable{padding-top:10px;padding-bottom:10px;display:block;font-size:16px}
.card .text,.card .introduction{margin:0}
.legalText-customizable{color:#636363;font-size:11px}
.note,.hint,.rules,.steps{color:#595959;font-size:.9286rem}
.rules ul{padding-inline-start:18px;list-style:disc}
.inputField-customizable{width:100%;height:34px;color:#555;background-color:#fff;border:1px solid #ccc}
.inputField-customizable:focus{border-color:#66afe9;outline:2px solid #2f74b5}
.input{padding:6px 12px;font-size:16px;border-color:#8a8a8a}
.input-code{letter-spacing:.2em}
.field-invalid .input{border-color:#b52b3a}
.field-error{display:flex;gap:4px;color:#b52b3a}
.submitButton-customizable{font-size:14px;font-weight:bold;margin:20px 0 10px 0;height:40px;width:100%;color:#fff;background-color:#2e6da4}
.submitButton-customizable:hover{color:#fff;background-color:#245682}
.button{display:block;padding:0 12px;border:1px solid transparent;border-radius:4px;line-height:38px;text-align:center;text-decoration:none}
.buttons .submitButton-customizable{margin-block:6px 0}
.buttons{display:flex;flex-direction:column;gap:8px}
.button-secondary{inline-size:100%;min-block-size:40px;background:#fff;border-color:#8a8a8a;color:#333}
.button-secondary:hover{background:#f0f0f0;color:#333}
.button-link{align-self:flex-start;padding:2px 0;border:0;background:none;text-align:start}
.redirect-customizable{text-align:center}
.separator{display:flex;align-items:center;gap:12px;color:#595959}
.separator::before,.separator::after{content:"";flex:1;border-block-start:1px solid #ccc}
.alert{display:flex;gap:8px;padding:8px;border:1px solid #8a8a8a;background:#f5f5f5}
.alert-heading{font-weight:700}
.alert-success{border-color:#2b7a12;color:#226010;background:#f1f9ee}
.alert-warning{border-color:#8a6200;color:#6b4c00;background:#fff8e6}
.errorMessage-customizable{padding:5px;font-size:14px;width:100%;background:#f5f5f5;border:2px solid #d64958;color:#b52b3a}
.choices,.providers{display:flex;flex-direction:column}
.choices{gap:8px}
.choice{display:flex;align-items:center;gap:12px;inline-size:100%;min-block-size:48px;padding:8px 12px;border:1px solid #8a8a8a;border-radius:4px;background:#fff;text-align:start}
.choice:hover{background:#f0f0f0}
.choice-text{flex:1;display:flex;flex-direction:column}
[dir=rtl] .choice>.icon{transform:scaleX(-1)}
.radios{display:flex;flex-direction:column;gap:10px}
.check,.radio{display:flex;gap:8px;align-items:flex-start}
.graphic{display:inline-flex;color:#555}
.idpButton-customizable,.socialButton-customizable{height:40px;width:100%;margin-bottom:15px;border-radius:2px}
.idpButton-customizable{text-align:center;color:#fff;background-color:#1f728c;border:1px solid #1f728c}
.idpButton-customizable:hover{color:#fff;background-color:#185a6f}
.socialButton-customizable{padding:1px;text-align:left;color:#333;background-color:#fff;border:1px solid #8a8a8a}
[dir=rtl] .socialButton-customizable{text-align:right}
.provider{display:block;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;line-height:36px;padding-inline:10px;text-decoration:none}
.provider-icon{display:inline-block;vertical-align:middle;margin-inline-end:10px}
.idpButton-customizable .provider-icon{display:none}
.provider-Facebook{background-color:#1666d8;border-color:#1666d8;color:#fff}
.provider-Facebook:hover{color:#fff}
.provider-Facebook .provider-icon{border-radius:50%;background:#fff;box-shadow:0 0 0 1px #fff}
.rule{display:flex;gap:4px;margin-inline-start:-18px}
.rule .icon{inline-size:16px;block-size:16px;margin-block-start:1px}
.passwordCheck-valid-customizable{color:#2b7a12}
.passwordCheck-notValid-customizable{color:#b52b3a}
.qr{display:flex;flex-direction:column;align-items:center;text-align:center;gap:10px}
.secret summary{cursor:pointer;color:#23629a;text-decoration:underline}
.secret{inline-size:100%;text-align:center}
.secret code{margin-block-start:4px;padding:6px 10px;background:#f5f5f5;font:1rem/1.6 Menlo,Consolas,monospace}
.instructions{display:grid;gap:6px;padding-inline-start:20px;list-style:decimal}
.foot{margin-block-start:16px}
.foot .legal{display:flex;flex-wrap:wrap;gap:4px 16px;justify-content:center}
@media (forced-colors:active){.button,.choice,.provider{border-color:ButtonBorder}}
`
