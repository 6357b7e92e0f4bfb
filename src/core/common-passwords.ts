/**
 * Passwords that everybody knows, as a small list that needs no file: common words and keyboard rows, each alone and with
 * the endings that people put behind them to satisfy a policy, in any capitalisation and with the usual signs in the place
 * of letters; and common numbers. It stands for what guessers try first. It is no substitute for a list of passwords that
 * have leaked, which an operator can add as a file.
 */

/** True for a password of the list. */
export const isCommonPassword = (password: string): boolean => {
  if (password.length > lengthMax) return false
  const text = password.toLowerCase()
  if (numbers.has(text)) return true
  for (let length = 0; length <= endingLengthMax && length < text.length; length += 1) {
    const at = text.length - length
    if (!endings.has(text.slice(at))) continue
    const word = text.slice(0, at)
    if (words.has(word) || words.has(plain(word, 'i')) || words.has(plain(word, 'l'))) return true
  }
  return false
}

/** Signs as the letters that they stand for; `1` and `!` stand for two. */
const plain = (word: string, one: 'i' | 'l'): string =>
  word.replace(/[013457@$!]/g, sign => (sign === '1' || sign === '!' ? one : (letters[sign] ?? sign)))

const letters: Record<string, string> = { '0': 'o', '3': 'e', '4': 'a', '5': 's', '7': 't', '@': 'a', $: 's' }

const listOf = (text: string): string[] => text.split(/\s+/).filter(entry => entry !== '')

const years = Array.from({ length: 61 }, (_, index) => 1970 + index)

const endings = new Set([
  '',
  ...years.flatMap(year => [
    `${year}`,
    `${year}!`,
    `@${year}`,
    `#${year}`,
    `!${year}`,
    `${year}@`,
    `${year}#`,
    `${year}.`,
  ]),
  ...listOf(`
! !! !!! !1 !12 !123 !23 !@# !@#$ # #1 #12 #123 $ $1 $123 * -1 -123 . .1 .123 0 00 000 0000 007 01 01! 02 03 04 05
06 07 08 09 1 1! 1!! 1# 1$ 1. 10 10! 100 101 11 11! 111 1111 12 12! 12# 1212 123 123! 123!! 123!@# 123# 123$ 123.
1234 1234! 12345 12345! 123456 123456! 1234567 12345678 123456789 1234@ 123@ 12@ 13 1337 1? 1@ 2 2! 2000 21 22 22!
222 23 23! 2580 3 3! 321 333 4 4321 456 5 54321 555 6 654321 666 69 6969 7 77 777 789 8 88 888 9 99 99! 999 ? @ @!
@1 @12 @123 @1234 _1 _123`),
])
const endingLengthMax = Math.max(...[...endings].map(ending => ending.length))

const numbers = new Set(
  listOf(`
0000 000000 00000000 012345 01234567 0123456789 098765 0987654321 100200 100200300 101010 10203 102030 1029384756
1111 111111 11111111 112233 11223344 1122334455 1212 121212 12121212 123123 123321 1234 12341234 12344321 12345
123454321 1234554321 123456 1234567 12345678 123456789 1234567890 123654 123654789 131313 1337 13579 135790
1357924680 142536 147258 147258369 147852 147852369 1478963 159357 159753 2000 20202020 2112 222222 232323 24680
246810 2580 258369 314159 31415926 321321 3216548 333333 420420 4321 444444 456789 5150 54321 555555 654321 666666
6969 696969 69696969 741852963 7777 777777 7777777 789456 789456123 852456 8675309 888888 88888888 951753 963852741
987654 987654321 9876543210 999999 99999999`),
)

const words = new Set(
  listOf(`
1q2w3e 1q2w3e4r 1q2w3e4r5t 1qaz2wsx 5201314 a1b2c3 aaa aaaa aaaaaa abc abcd abcde abcdef abcdefg abcdefgh abcxyz
access account admin administrator adobe agnieszka airbus airplane ajax alessandro alex alexander alexandra amanda
amazon america amore andrea andrew android angel angels anna anthony antonio anything apollo apple april arigato
arizona arsenal asd asdasd asdasdasd asdf asdf1234 asdfgh asdfghjkl ashley asshole athena audi august austin
australia autumn azerty azerty123 baby babyboy babygirl backup bailey ballet banana barcelona bart baseball
baseball1 basket basketball batman bear bears bella ben berlin biker bitch biteme black blade blessed blue bmw
boating boeing bonita bonjour boston brandon brazil brian bronze brother buddy business buster butterfly california
camaro camping canada candy captain carlos cash change changeme charlie charlotte cheer cheerleader cheese chelsea
cherry chester chicago china chocolate chouchou christ christian ciao cisco claudia coco college company computer
contrasena contraseña cookie corazon corvette cosmos cowboy cowboys dad daisy dakota dallas dancer dancing daniel
database david december default demo diamond diego dollar dolphins donald doraemon doudou dragon driver drummer duke
eagle eagles elizabeth emily eminem emma england enter eric estrella everton everything facebook faith falcon fall
family father february felix fernando ferrari feyenoord fire fisher fishing florida flower flowers flying football
football1 forever fortnite france francesco francisco freedom friday friend friends frodo fuck fucker fuckoff
fuckyou galaxy gandalf garfield geheim george germany ginger giuseppe gmail god gold golden golf golfer google grace
green guest guitar gunner gymnast hallo hallo123 hannah happy hardcore harley harry haslo hatsune heaven hejhej
hello hercules hermosa heslo hgfdsa hi hiker hobbit hockey hockey1 hola homer honda honey hope hotmail hottie hunter
hunting ice iloveu iloveyou iloveyou1 india instagram internet iphone iron ironman italy jack jaguar james january
japan jason jennifer jessica jesus jesuschrist john jordan jose joshua juan julia july june jupiter justin juventus
kasia kennwort kevin killer knight lakers lamborghini laura lauren letme letmein liberty lightning lily linkedin
linux lion liverpool lkjhgf login logon lola london loulou love lovely loveme loveyou lucky luis lösenord madison
madrid maggie magic manager manchester manutd march maria marie marina marine mariposa mark mars marseille martin
master matrix matthew max mercedes merlin metal metallica mexico michael michelle mickey microsoft miguel million
minecraft minnie mnbvcxz molly mom monday money monkey monster moon morgan motdepasse mother music mustang mypass
mypass1 mypassword mysql napoli naruto natasha netflix network newpass newpass1 newpassword newyork nicole nikita
ninja nintendo nirvana nokia nopass nopassword nothing november ocean october office oliver olivia open opensesame
oracle orange oscar p4ssw0rd pablo packers panther paris parol parola pass pass1234 passpass passw passwd password
password1 passwort passwort1 patrick patriots paul peaches pedro pepper peter phoenix piano pikachu pilot pink
pirate pizza platinum playboy playstation pluto poiuy poiuytrewq pokemon polska porsche postgres princess
principessa private privet pswd public purple pussy pwd q1w2e3 qaz qazwsx qazwsxedc qwe qwe123 qweasd qweasdzxc
qweqwe qweqweqwe qwer1234 qwert qwerty qwerty123 qwertyuiop qwertz racer rachel racing raiders rainbow rambo ranger
realmadrid rebecca red redsox ricardo rich richard rider robert roberto roblox rock rocket rockstar rocky rome root
rose router runner sailing sakura salasana sam samantha samsung samurai sarah saturday saturn schatz school scooby
scooter sebastian secret secure security senha september server service sesame sexy shadow signin silver simon
simpson sister skater sky slipknot slovan smile smiley sniper snoopy snow snowball soccer soccer1 soldier soleil
something sommer sony sophia sophie space spain sparta spiderman spotify spring star stars startrek starwars steel
steelers stella steve steven storm strawberry student sugar summer sun sunday sunshine superman support surfer sweet
sweetie swimmer sword sysadmin system taylor teacher teamo temp temporary tennis tequiero terminator test tester
testing texas thomas thunder thursday tiger tigger toby tom toor toyota trucker trustno tuesday twitter tyler
unicorn universe university user venus victoria viking wachtwoord warrior water wednesday welcome welkom welkom01
whatever whatever1 whatsapp whatsup white william windows winter wizard woaini woaini1314 wolf work wsx xbox xxx
xxxx yahoo yamaha yankees yellow youtube zaq12wsx zaqwsx zaqxsw zeus zxc zxcvbn zxcvbnm zzz`),
)

/** No entry is longer. */
const lengthMax = Math.max(...[...words].map(word => word.length)) + endingLengthMax

/** How many passwords the list holds, capitalisation and signs not counted. */
export const commonPasswordCount = words.size * endings.size + numbers.size
