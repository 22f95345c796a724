import{a,b}from"./chunk-MSJ2JIKS.js";import"./chunk-WVLWJZ7P.js";import"./chunk-O3ICZ2D4.js";import"./chunk-TAQPCSS3.js";import"./chunk-WWY3F35W.js";export{a as othersOf,b as showReach};
