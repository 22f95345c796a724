import{a,b}from"./chunk-4TWGI3PV.js";import"./chunk-IPWUY7K7.js";import"./chunk-O3ICZ2D4.js";import"./chunk-TAQPCSS3.js";import"./chunk-WWY3F35W.js";export{a as othersOf,b as showReach};
