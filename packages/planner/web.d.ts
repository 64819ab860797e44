// What every supported runtime has on its global object, and the language itself does not define.
interface Decoder {
  decode(bytes: Uint8Array): string;
}
interface Encoder {
  encode(text: string): Uint8Array;
}
declare const TextDecoder: new () => Decoder;
declare const TextEncoder: new () => Encoder;
declare function atob(base64: string): string;
declare function btoa(binary: string): string;
